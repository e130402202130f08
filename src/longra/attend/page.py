"""One self-contained page: the text, what was written, and which passages each sentence drew on."""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from longra.attend.shares import Attention, Drawing

_ENGLISH = {
    "lang": "en",
    "title": "What each sentence drew on",
    "intro": "Choose a sentence of what the model wrote (click, or the arrow keys): in the text before it, the "
    "passages of your text that the model looked back at while it wrote that sentence are shaded, the darker the more. "
    "The strip below a sentence is the whole text from beginning to end, shaded in the same way.",
    "caution": "Looking back is not the same as copying or agreeing: a dark passage was consulted, no more. Percentages "
    "are of all that went to your text.",
    "before": "The text before",
    "after": "What was written",
    "strip": "The whole text, the darker the more was drawn on",
    "sums": "{drawn} your text, {earlier} what was written before this sentence, {own} the sentence itself, "
    "{frame} question and marks of the chat, {resting} at rest",
}
_CHINESE = {
    "lang": "zh",
    "title": "每句话参考了哪些段落",
    "intro": "在模型写出的内容里选中一句（点击，或用上下方向键）：写这句话时模型在前文中回看过的段落会着色，颜色越深，"
    "看得越多。每句话下面的色带表示从头到尾的全文，着色方法相同。",
    "caution": "回看不等于照抄，也不等于赞同：颜色深只说明这一段被参考过。百分比以投向您的文本的全部注意力为一百。",
    "before": "前文",
    "after": "写出的内容",
    "strip": "全文，颜色越深参考越多",
    "sums": "前文 {drawn}，此前写出的内容 {earlier}，本句 {own}，提问与对话标记 {frame}，闲置 {resting}",
}


@dataclass(frozen=True)
class Cell:
    """A part of a heat strip: its width in characters, its shade from 0 to 1, and what it stands for."""

    size: int
    heat: float
    title: str


def page(attention: Attention, footer: str) -> str:
    """The page as HTML; its words are Chinese where most of the text is."""
    from jinja2 import Environment

    words = _CHINESE if _mostly_chinese("".join(attention.passages)) else _ENGLISH
    source = files("longra.attend").joinpath("page.html").read_text(encoding="utf-8")
    template = Environment(autoescape=True).from_string(source)
    return template.render(
        words=words,
        attention=attention,
        strips=[_strip(attention, drawing) for drawing in attention.drawings],
        sums=[_sums(words["sums"], drawing) for drawing in attention.drawings],
        shares=_script_json([[round(share, 6) for share in drawing.passages] for drawing in attention.drawings]),
        footer=footer,
    )


def _strip(attention: Attention, drawing: Drawing) -> list[Cell]:
    top = max(drawing.passages, default=0.0) or 1.0
    return [
        Cell(len(passage), round(share / top, 3), f"{share / (drawing.drawn or 1.0):.0%} {passage.strip()[:60]}")
        for passage, share in zip(attention.passages, drawing.passages, strict=True)
    ]


def _sums(form: str, drawing: Drawing) -> str:
    return form.format(
        drawn=f"{drawing.drawn:.0%}",
        earlier=f"{sum(drawing.earlier):.0%}",
        own=f"{drawing.own:.0%}",
        frame=f"{drawing.frame:.0%}",
        resting=f"{drawing.resting:.0%}",
    )


def _mostly_chinese(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return 2 * sum("\u4e00" <= letter <= "\u9fff" for letter in letters) > len(letters)


def _script_json(value: Any) -> Any:
    """JSON that cannot end the script element that holds it."""
    from markupsafe import Markup

    return Markup(json.dumps(value).replace("<", "\\u003c"))
