"""One self-contained page: what each set of parameters wrote, side by side, its figures, and a drawing of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from longra.evaluate.tune.figures import Measured, limits
from longra.evaluate.tune.grid import varied
from longra.evaluate.tune.plot import Labels, tune_plot
from longra.text.script import scripts_of

_ENGLISH = {
    "lang": "en",
    "title": "One prompt, several settings",
    "intro": "The same model answered or continued the same prompt with different settings. Read the texts below and choose "
    "the one that you like best; its number keeps its settings for later.",
    "caution": "The figures help to find the texts worth reading. They do not say which is good: likelihood is not quality. "
    "What a model finds likely may be dull or wrong, and a text that repeats itself is very likely to it.",
    "prompt": "The prompt",
    "plot": "Each number is a setting. Higher up, more different pairs of words are used. On the left picture, further "
    "right is more what the model expects to be written; on the right picture, further right repeats more.",
    "figures": "Figures",
    "texts": "The texts",
    "setting": "setting",
    "suggested": "suggested",
    "how": "The suggestion is the likeliest of the settings whose texts all keep within the limits of `longra evaluate text`, "
    "in every page of text: {}.",
    "none": "No setting keeps within the limits, so none is suggested.",
    "beyond": "beyond the limit: {}",
    "more": "{} more texts of this setting",
    "keep": "To keep a setting, run the same command with --save NAME --choose NUMBER; then use it with --preset NAME.",
    "length": "length",
    "distinct_1": "different words",
    "distinct_2": "different pairs",
    "rep_2": "repeated pairs",
    "rep_3": "repeated threes",
    "rep_4": "repeated fours",
    "compression_ratio": "compression",
    "logprob": "log-probability",
    "perplexity": "perplexity",
}
_CHINESE = {
    "lang": "zh",
    "title": "同一提示，不同设置",
    "intro": "同一个模型用不同的生成设置写了同一个提示。请读下面的文本，选出您最喜欢的一个；"
    "记下编号，就能把这组设置存起来以后再用。",
    "caution": "数字只帮您找到值得一读的文本，不能说明哪个更好：可能性高不等于质量好。模型认为可能的文字也许平淡，也许是错的；"
    "自我重复的文字在模型看来可能性反而很高。",
    "prompt": "提示",
    "plot": "每个数字代表一组设置。越靠上，用到的不同词对越多。左图越靠右，越符合模型的预期；右图越靠右，重复越多。",
    "figures": "数据",
    "texts": "文本",
    "setting": "设置",
    "suggested": "建议",
    "how": "建议的是：在所有文本每一页都不超出 `longra evaluate text` 限度的设置中，可能性最高的一组。限度：{}。",
    "none": "没有一组设置在限度之内，因此不作建议。",
    "beyond": "超出限度：{}",
    "more": "这组设置的另外 {} 篇",
    "keep": "要保存一组设置，请在同一命令后加上 --save 名称 --choose 编号；以后用 --preset 名称 调用。",
    "length": "长度",
    "distinct_1": "不同词",
    "distinct_2": "不同词对",
    "rep_2": "重复二连",
    "rep_3": "重复三连",
    "rep_4": "重复四连",
    "compression_ratio": "压缩比",
    "logprob": "平均对数概率",
    "perplexity": "困惑度",
}
_CHINESE_LABELS = Labels(
    "{}：各组设置的表现",
    "多样性：distinct-2",
    "可能性：每个词元的平均对数概率",
    "重复：rep-2",
    "在限度之内",
    "重复过多",
)


@dataclass(frozen=True)
class About:
    """What the page tells of the run.

    Attributes:
        fixed: the settings that all cells share, in words.
    """

    prompt: str
    model: str
    seed: int
    fixed: str


def tune_page(cells: Sequence[Measured], suggestion: Measured | None, about: About) -> str:
    """The page as HTML; its words are Chinese where most of the prompt is."""
    from jinja2 import Environment

    words, labels = (_CHINESE, _CHINESE_LABELS) if _is_chinese(about.prompt) else (_ENGLISH, Labels())
    source = files("longra.evaluate.tune").joinpath("page.html").read_text(encoding="utf-8")
    axes = varied([cell.finished.cell for cell in cells]) or list(cells[0].finished.cell.values)
    return (
        Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        .from_string(source)
        .render(
            words=words,
            about=about,
            cells=cells,
            suggestion=suggestion,
            axes=axes,
            limits=limits(cells[0].figures.unit),
            plot=tune_plot(cells, suggestion, about.model, labels),
        )
    )


def _is_chinese(text: str) -> bool:
    scripts = scripts_of(text)
    return scripts["Han"] * 2 > scripts.total()
