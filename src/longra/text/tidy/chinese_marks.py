"""Chinese punctuation where autocorrect leaves Latin one: at quotations, ellipses, dashes and brackets (GB/T 15834)."""

import re

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CHINESE = re.compile(f"[{_HAN}]")
_WORD = re.compile(r"\w")
_KANA = re.compile("[\u3041-\u30ff]")
_WIDE = {",": "，", ".": "。", "!": "！", "?": "？", ":": "：", ";": "；"}

_NUMBER = re.compile(f"^(\\s*(?:#+\\s+)?[一二三四五六七八九十百]+)[.．]\\s*(?=[{_HAN}])")
"""A heading's number: 一、 is followed by this mark (GB/T 15834)."""
_ELLIPSIS = re.compile(f"(?<=[{_HAN}”’」』）])(?:\\.{{3,}}|。{{3,}})")
_MARKS = re.compile(f'(?<=[{_HAN}”’」』）》])(?:[!?]+|[,;])(?=$|[{_HAN}“”‘’「」『』（）《》"*—…\\s])')
_STOP = re.compile(f'(?<=[{_HAN}）》])\\.(?=[”’」』"])')
_COLON = re.compile(f'(?<=[{_HAN}”’」』）]):\\s?(?=[“‘「『"])')
_DASH = re.compile(f"(?<=[{_HAN}”])-{{2,}}(?=[{_HAN}“])")
_BRACKETS = re.compile(f"\\((?=[{_HAN}])([^()\\n]{{1,200}})\\)")
_QUOTED = re.compile(r'"([^"]*)"')
_QUOTE_OF_DATA = re.compile(r'[\d{}\[\]=<>\\]"|"[{}\[\]=<>:\\]|[^\W\d_]"[A-Za-z]')
"""A straight quotation mark that is an inch, or part of JSON and its like."""


def with_chinese_marks(line: str) -> str:
    """A line of prose with full-width marks behind Chinese words, …… for dots, and “ ” for straight marks in pairs."""
    line = _NUMBER.sub(r"\1、", line)
    line = _BRACKETS.sub(r"（\1）", line)
    line = _ELLIPSIS.sub("……", line)
    line = _DASH.sub("——", line)
    line = _COLON.sub("：", line)
    line = _STOP.sub("。", line)
    line = _MARKS.sub(lambda match: "".join(_WIDE[mark] for mark in match.group()), line)
    return line if _KANA.search(line) else _curled(line)


def _curled(line: str) -> str:
    """The straight marks of a line whose quotations are Chinese; of any other line they stay."""
    quoted = _QUOTED.findall(line)
    if line.count('"') != 2 * len(quoted) or _QUOTE_OF_DATA.search(line):
        return line
    if not any(_CHINESE.search(text) for text in quoted) or not all(_WORD.search(text) for text in quoted):
        return line  # a quotation without a word lies between two others: one stands inside another
    return _QUOTED.sub(r"“\1”", line)
