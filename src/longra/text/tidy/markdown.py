"""Step `markdown`: one form for headings, lists, rules, fences and blank lines.

Only what renders alike is changed, line by line. A formatter that renders and writes anew (mdformat) was tried and
left: it escapes what models mean, `**“粗体。”**` in Chinese and TeX in `\\(…\\)` among it.
"""

import re
from collections.abc import Iterator
from itertools import groupby

from longra.text.tidy.change import Edit
from longra.text.tidy.document import LIST_ITEM, Block, Document, Line
from longra.text.tidy.inline import Span, code_spans, span_around
from longra.text.tidy.steps import Report
from longra.text.tidy.whitespace import blank_lines

_HEADING = re.compile(r"(?P<indent> {0,3})(?P<marks>#{1,6})(?P<gap>[ \t]*)(?=[^#\s])")
_BULLET = re.compile(r"(?P<indent>[ \t]*)(?:(?P<star>\*)(?P<gap>[ \t]+)|[•◦▪‣●][ \t]*)(?=\S)")
_RULE = re.compile(r" {0,3}(?P<mark>[-*_])(?:[ \t]*(?P=mark)){2,}[ \t]*$")
_SET_APART = re.compile(r"[ \t]|[>|<#]")
_FENCE = re.compile(r"(?P<lead>[\s>]*(?:(?:[-*+]|\d{1,9}[.)]) +)?)(?P<marks>`{3,}|~{3,})(?P<info>.*)$")


def find(document: Document, option: str, report: Report) -> Iterator[Edit]:  # noqa: ARG001
    """Edits of lines, and of the blank lines between them."""
    if document.all_code:
        return
    settings = front_matter(document.lines)
    spans = code_spans(document)
    before: Block | None = None
    for block in document.blocks:
        if block.fence:
            if before and not before.lines[-1].is_blank and _is_outermost(block):
                yield _blank_line(block.lines[0])
            yield from _fence(document.text, block)
        elif not block.is_code:
            after_fence = before is not None and before.fence is not None and _is_outermost(before)
            yield from _prose(document.text, block, after_fence, spans, settings)
        before = block


def front_matter(lines: tuple[Line, ...]) -> int:
    """Where the settings at the start of the text, between two lines of `---`, end; 0 if there are none."""
    if lines[0].text != "---":
        return 0
    for line in lines[1:100]:
        if line.text in ("---", "..."):
            return line.end
        if ":" not in line.text and not line.text.startswith((" ", "-", "#")):
            return 0
    return 0


def _blank_line(before: Line) -> Edit:
    return Edit(before.start, "", "\n", "blank line")


def _is_outermost(block: Block) -> bool:
    """Whether a fenced block stands in no list and no quotation."""
    return block.lines[0].text.startswith(("`", "~"))


def _fence(text: str, block: Block) -> Iterator[Edit]:
    """The fence lines without superfluous spaces, and a closing one where the text breaks off."""
    opening, closing = block.lines[0], block.lines[-1]
    match = _FENCE.match(opening.text)
    if match and match["info"] != match["info"].strip():
        yield Edit(opening.start + match.start("info"), match["info"], match["info"].strip(), "fence")
    if block.is_closed:
        kept = len(closing.text.rstrip())
        if kept < len(closing.text):
            yield Edit(closing.start + kept, closing.text[kept:], "", "fence")
    elif match and block.end == len(text) and block.fence and not block.fence.quotes:
        line = " " * len(match["lead"].expandtabs(4)) + match["marks"]
        yield Edit(len(text), "", f"{line}\n" if text.endswith("\n") else f"\n{line}", "unclosed fence")


def _prose(text: str, block: Block, after_fence: bool, spans: list[Span], settings: int) -> Iterator[Edit]:
    for is_blank, group in groupby(block.lines, key=lambda line: line.is_blank):
        lines = [line for line in group if line.start >= settings]
        if is_blank and lines:
            yield from blank_lines(text, lines)
        elif lines:
            yield from _run(lines, after_fence, spans)
        after_fence = False


def _run(lines: list[Line], after_fence: bool, spans: list[Span]) -> Iterator[Edit]:
    """Edits of lines without a blank one between them."""
    in_list = False
    for index, line in enumerate(lines):
        before = lines[index - 1] if index else None
        following = lines[index + 1] if index + 1 < len(lines) else None
        span = span_around(line.start, spans)
        if span and span.start < line.start:
            continue  # a code span that began on an earlier line
        if (after_fence and not index) or (before and _is_set_apart(line.text, before.text, in_list)):
            yield _blank_line(line)
        in_list = in_list or LIST_ITEM.match(line.text.lstrip()) is not None
        yield from _line(line, before, following, in_list)
        if not span_around(line.end, spans):
            yield from _trailing(line, following)


def _is_set_apart(line: str, before: str, in_list: bool) -> bool:
    """Whether a blank line belongs between two lines: around headings, before rules, before lists."""
    if _is_top_heading(line) or _is_top_heading(before):
        return True
    rule = _RULE.match(line)
    if rule:
        return rule["mark"] != "-"  # hyphens below text make it a heading
    item = LIST_ITEM.match(line)
    if in_list or not item or item["indent"] or not line[item.end() :].strip():
        return False
    starts_list = item["marker"] in ("-", "*", "1.", "1)")  # the numbers that may: CommonMark, section 5.3
    return starts_list and not _SET_APART.match(before)


def _is_top_heading(line: str) -> bool:
    heading = _HEADING.match(line)
    return heading is not None and not heading["indent"] and (bool(heading["gap"]) or len(heading["marks"]) > 1)


def _line(line: Line, before: Line | None, following: Line | None, in_list: bool) -> Iterator[Edit]:
    heading = _HEADING.match(line.text)
    if heading:
        yield from _heading(line, heading)
    elif _RULE.match(line.text):
        rule = line.text.rstrip()
        if not before and line.start > 0 and rule != "---" and rule[0] != " ":
            yield Edit(line.start, rule, "---", "rule")
    else:
        yield from _item(line, following, in_list)


def _heading(line: Line, match: re.Match[str]) -> Iterator[Edit]:
    """One space behind the marks and none of them at the end; `#word` is a tag, not a heading."""
    if len(match["marks"]) == 1 and not match["gap"]:
        return
    content = line.text[match.end() :].rstrip()
    without = content.rstrip("#")
    if without.endswith((" ", "\t")):
        content = without.rstrip()
    after = f"{match['indent']}{match['marks']} {content}"
    kept = line.text.rstrip()
    if after != kept:
        yield Edit(line.start, kept, after, "heading")


def _item(line: Line, following: Line | None, in_list: bool) -> Iterator[Edit]:
    """`-` for bullets, and one space behind the marker if nothing below is aligned with the text behind it."""
    bullet = _BULLET.match(line.text)
    if bullet and (in_list or len(bullet["indent"].expandtabs(4)) < 4):
        after = f"-{bullet['gap']}" if bullet["star"] else "- "
        start = bullet.end("indent")
        yield Edit(line.start + start, line.text[start : bullet.end()], after, "list marker")
        return
    indent = len(line.text) - len(line.text.lstrip())
    item = LIST_ITEM.match(line.text, indent)
    if not item or not 2 <= len(item["gap"]) <= 4 or not line.text[item.end() :].strip():
        return
    if following and len(following.text) - len(following.text.lstrip()) <= indent:
        yield Edit(line.start + item.start("gap"), item["gap"], " ", "list marker")


def _trailing(line: Line, following: Line | None) -> Iterator[Edit]:
    """Two spaces before another line break the line; others mean nothing."""
    kept = len(line.text.rstrip(" \t"))
    trailing = line.text[kept:]
    wanted = "  " if following and trailing.endswith("  ") and not _HEADING.match(line.text) else ""
    if trailing != wanted:
        yield Edit(line.start + kept, trailing, wanted, "trailing space")
