"""Tables of models in the docs say what the catalogue says."""

import re
from pathlib import Path

import pytest

from longra.library.catalogue import Entry, entries

ROOT = Path(__file__).parents[2]
_KINDS = {"chat": "dialogue", "code": "code", "text": "continuing texts"}


def row(entry: Entry) -> str:
    """A model's line in docs/recommend.md."""
    languages = ", ".join(entry.languages) if len(entry.languages) < 4 else f"{len(entry.languages)}"
    cells = (f"`{entry.name}`", f"{entry.parameters / 1e9:.2f}", f"{entry.context:,}", languages, entry.licence)
    return f"| {' | '.join(cells)} | {_KINDS[entry.task]} |"


def test_the_page_lists_all_models_by_size() -> None:
    page = (ROOT / "docs" / "recommend.md").read_text(encoding="utf-8")
    listed = [line for line in page.splitlines() if re.match(r"\| `[a-z0-9.-]+` \| \d", line)]
    assert listed == [row(entry) for entry in sorted(entries().values(), key=lambda entry: entry.parameters)]


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_readme_lists_a_few_of_them(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9.-]+)` \| ([^|]+) \| [^|]+ \| ([\d,]+) \|", text, re.MULTILINE)
    assert len(rows) >= 4
    for name, parameters, context in rows:
        entry = entries()[name]
        unit = 1e8 if "亿" in parameters else 1e6
        assert float(re.sub("[^0-9.]", "", parameters)) == pytest.approx(entry.parameters / unit, rel=0.005)
        assert int(context.replace(",", "")) == entry.context
