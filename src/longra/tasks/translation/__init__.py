"""Translation of texts and files: sentence by sentence with those before in sight, and everything else kept as it is."""

from longra.tasks.translation.document import Segment
from longra.tasks.translation.formats import format_of
from longra.tasks.translation.glossary import Glossary, Term, read_glossary
from longra.tasks.translation.languages import Language, language
from longra.tasks.translation.translate import Translated, Translation, translate, translation

__all__ = [
    "Glossary",
    "Language",
    "Segment",
    "Term",
    "Translated",
    "Translation",
    "format_of",
    "language",
    "read_glossary",
    "translate",
    "translation",
]
