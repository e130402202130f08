"""A diff tells both texts, and does not take for ever."""

from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st

from longra.text.tidy.diff import unified_diff

lines = st.lists(st.sampled_from(["a", "b", "c", "", "d e", "好"]), max_size=40)


def patch(old: list[str], diff: list[str]) -> list[str]:
    """Apply a unified diff, checking each line that it names."""
    new: list[str] = []
    at = 0
    for line in diff[2:]:
        if line.startswith("@@"):
            start = int(line.split()[1][1:].split(",")[0]) - 1
            new += old[at:start]
            at = start
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            new += [] if line[0] == "-" else [old[at]]
            at += 1
    return new + old[at:]


@settings(max_examples=500)
@given(lines, lines)
def test_a_diff_leads_from_one_text_to_the_other(old: list[str], new: list[str]) -> None:
    old, new = old or [""], new or [""]
    assert patch(old, list(unified_diff("\n".join(old), "\n".join(new), "x"))) == new


def test_equal_lines_are_not_shown_as_changed() -> None:
    old = [f"line {i}" for i in range(100)]
    new = [line if i != 50 else "LINE" for i, line in enumerate(old)]
    assert list(unified_diff("\n".join(old), "\n".join(new), "x")) == [
        "--- x",
        "+++ x (tidied)",
        "@@ -48,7 +48,7 @@",
        " line 47",
        " line 48",
        " line 49",
        "-line 50",
        "+LINE",
        " line 51",
        " line 52",
        " line 53",
    ]


def test_equal_texts_have_no_diff() -> None:
    assert list(unified_diff("a\nb", "a\nb", "x")) == []


def test_a_long_diff_takes_linear_time() -> None:
    old = [f"line {i}" if i % 2 else "same" for i in range(100_000)]
    new = [line.upper() if i % 6 == 1 else line for i, line in enumerate(old)]
    start = process_time()
    shown = list(unified_diff("\n".join(old), "\n".join(new), "x"))
    assert process_time() - start < 10
    assert sum(line.startswith("+") for line in shown) == 1 + len(old) // 6 + 1
