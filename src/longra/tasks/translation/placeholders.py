"""What inside a sentence is not language: fields, format codes, tags, addresses, code. A translation has them all.

The model sees a sentence with its placeholders, for they tell what it is about. When a translation has lost one, the
next try shows numbers in their place: small models copy `{1}` more reliably than `%(count)d` (docs/translate.md).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from longra.text.tidy.inline import Span

_PLACEHOLDER = regex.compile(
    r"""
      (?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)                      # `code`
    | <!--.*?--> | <(?:https?|mailto):[^<>\s]*> | </?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>
    | &(?:[A-Za-z][A-Za-z0-9]{1,30}|\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6});
    | (?P<open>!?\[(?=[^\[\]]*\][(\[]))                                     # [ of a link, then its target or label
    | (?<=\])(?P<target>\((?:[^()\s]|\([^()\s]*\))+(?:\s+"[^"]*")?\))
    | (?<=\])\[[^\]\[]*\] | \[\^[^\]\s]+\]
    | https?://(?:[^\s<>"'`\u0080-\U0010ffff]|(?<=[/=?&\#_-])[\u3400-\u9fff]+)+(?<![.,;:!?)*}\]])
    | [\w.+-]{1,64}@[A-Za-z0-9-]{1,64}(?:\.[A-Za-z0-9-]{1,64}){1,8}
    | \{\{.*?\}\} | \{%.*?%\}                                               # templates
    | \{\s*\w+\s*,\s*(?:plural|select|selectordinal)\s*,(?:[^{}]|(?P<nest>\{(?:[^{}]|(?&nest))*\}))*\}  # ICU
    | \$?\{[^{}\s]*\} | \{\\[^{}]*\}                                        # {name}, ${x}; {\an8} of subtitles
    | \$\$[^$]+\$\$ | \\\(.+?\\\) | \$(?!\s)[^$]*[^$\s\\]\$(?!\d)           # formulas
    | \$[A-Za-z_]\w*
    | %% | (?<!\d)%(?:\([^()\s]+\)|\d+\$)?[-+\#0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh?|ll?|[zjtLq])?[diouxXeEfFgGcrsa@]
    | (?<!\d)%(?:[A-Za-z](?![A-Za-z])|[1-9](?!\d))
    """,
    regex.VERBOSE,
)
_MASK = regex.compile(r"\{(\d+)\}")


@dataclass(frozen=True)
class Masked:
    """A sentence with `{1}`, `{2}` ... for its placeholders.

    Attributes:
        text: as the model reads it.
        hidden: what the numbers stand for, from 1 on.
    """

    text: str
    hidden: Sequence[str]

    def restored(self, translation: str) -> str:
        """A translation with the placeholders in place of their numbers; a number that stands for nothing stays."""

        def original(match: "regex.Match[str]") -> str:
            number = int(match[1])
            return self.hidden[number - 1] if 1 <= number <= len(self.hidden) else match[0]

        return _MASK.sub(original, translation)


def spans_of(text: str) -> list[Span]:
    """Where the placeholders of a text stand, in order."""
    return [Span(match.start(), match.end(), is_code=False) for match in _PLACEHOLDER.finditer(text)]


def count_of(text: str) -> Counter[str]:
    """The placeholders of a text, and how often each is there."""
    return Counter(match.group() for match in _PLACEHOLDER.finditer(text))


def without(text: str) -> str:
    """A text without its placeholders: what there is to translate."""
    return _PLACEHOLDER.sub(" ", text)


def masked(text: str) -> Masked:
    """A text with its placeholders numbered; the brackets around a link and its address stay."""
    hidden: list[str] = []

    def number(match: "regex.Match[str]") -> str:
        if match["open"]:
            return match[0]
        hidden.append(match["target"][1:-1] if match["target"] else match[0])
        return f"({{{len(hidden)}}})" if match["target"] else f"{{{len(hidden)}}}"

    return Masked(_PLACEHOLDER.sub(number, text), hidden)
