"""Time that grows with the text, not with its square, also for texts that are made to hurt."""

from time import process_time

import pytest

from longra.text.tidy import tidy

EVERY_PROSE_STEP = "unicode,whitespace,cjk,variant,loops,paragraphs,sentence,markdown"
SIZE = 100_000

HOSTILE = {
    "one letter": "a",
    "spaces": " ",
    "newlines": "\n",
    "backticks": "`",
    "unequal backticks": "` `` ``` ",
    "fences": "```\n",
    "tildes": "~~~x\n",
    "quotations": "> ",
    "quoted lines": "> a\n",
    "formulas never closed": "\\(a",
    "dollars": "$a",
    "dollars in Chinese": "中$",
    "addresses": "https://",
    "Chinese addresses": "https://a/中",
    "mail": "a.b@",
    "tags": "<a ",
    "comments": "<!--",
    "links": "](a",
    "stars": "* ",
    "hashes": "#",
    "stops": ". ",
    "marks and quotes": '."',
    "numbers": "1. ",
    "list": "- x\n",
    "rules": "- - ",
    "mojibake": "Ã©â€™ 好\n",
    "ideographs": "好",
    "sentences": "好。A b. ",
    "paragraphs": "One two three four five.\n\n",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_take_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece)) + "x"
        start = process_time()
        tidy(text, EVERY_PROSE_STEP)
        return process_time() - start

    # Beside each other, for a crowded core takes twice as long: what is linear takes 8 times as long, what is quadratic 64.
    assert seconds(SIZE) < 24 * seconds(SIZE // 8) + 0.5


def test_time_grows_with_the_text() -> None:
    def seconds(paragraphs: int) -> float:
        lines = [f"Paragraph {i} tells of day {i}, 第{i}天test好, and of night {i * i}.\n\n" for i in range(paragraphs)]
        start = process_time()
        result = tidy("".join(lines) + "And then")
        assert result.text.count("\n\n") == paragraphs - 1
        assert result.text.endswith(f"{(paragraphs - 1) ** 2}.")
        return process_time() - start

    assert seconds(16_000) < 16 * max(seconds(2_000), 0.1)  # 8 times the text; what is quadratic takes 64 times
