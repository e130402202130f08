"""The difference of two texts in unified form, in about linear time.

Lines that both texts hold exactly once are matched first, by a longest increasing subsequence (Bram Cohen's patience
diff); difflib, whose time is quadratic, sees only what lies between two of them.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import Match, SequenceMatcher

CONTEXT = 3
"""Equal lines shown around a difference."""

LARGEST_GAP = 1_000
"""Lines between two matches that difflib still compares; larger gaps are shown as replaced."""


def unified_diff(before: str, after: str, name: str) -> Iterator[str]:
    """Lines of the difference, each without its newline; none if the texts are equal.

    Args:
        before: the old text.
        after: the new text.
        name: what to call the text in the heading.
    """
    old, new = before.split("\n"), after.split("\n")
    hunks = list(_Matcher(old, new).get_grouped_opcodes(CONTEXT)) if before != after else []
    if hunks:
        yield f"--- {name}"
        yield f"+++ {name} (tidied)"
    for hunk in hunks:
        (_, i1, _, j1, _), (_, _, i2, _, j2) = hunk[0], hunk[-1]
        yield f"@@ -{i1 + 1},{i2 - i1} +{j1 + 1},{j2 - j1} @@"
        for tag, a, b, c, d in hunk:
            if tag == "equal":
                yield from (f" {line}" for line in old[a:b])
            else:
                yield from (f"-{line}" for line in old[a:b])
                yield from (f"+{line}" for line in new[c:d])


class _Matcher(SequenceMatcher[str]):
    """Finds matching lines by patience; the grouping into hunks is difflib's."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, (), (), autojunk=False)
        self.a, self.b = old, new

    def get_matching_blocks(self) -> list[Match]:
        old, new = self.a, self.b
        blocks: list[Match] = []
        a = b = 0
        for i, j in [*_unique_matches(old, new), (len(old), len(new))]:
            if i < a or j < b:
                continue  # part of the run before
            size = 0
            while a + size < i and b + size < j and old[a + size] == new[b + size]:
                size += 1
            if size:
                blocks.append(Match(a, b, size))
            blocks += _between(old, new, (a + size, i), (b + size, j))
            a, b = i, j
            while a < len(old) and b < len(new) and old[a] == new[b]:
                a, b = a + 1, b + 1
            blocks.append(Match(i, j, a - i))
        return [*blocks, Match(len(old), len(new), 0)]


def _between(old: Sequence[str], new: Sequence[str], a: tuple[int, int], b: tuple[int, int]) -> list[Match]:
    """difflib's matches in old[a] and new[b]."""
    if max(a[1] - a[0], b[1] - b[0]) > LARGEST_GAP:
        return []
    found = SequenceMatcher(None, old[slice(*a)], new[slice(*b)], autojunk=False).get_matching_blocks()
    return [Match(a[0] + match.a, b[0] + match.b, match.size) for match in found if match.size]


def _unique_matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places of lines that occur once in each text, ascending in both."""
    in_old, in_new = Counter(old), Counter(new)
    places = {line: j for j, line in enumerate(new) if in_new[line] == 1}
    pairs = [(i, places[line]) for i, line in enumerate(old) if in_old[line] == 1 and line in places]
    ends: list[int] = []  # ends[n]: least place in `new` at which an ascending run of n + 1 pairs can end
    last: list[int] = []  # ends[n] is that of pairs[last[n]]
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        previous.append(last[at - 1] if at else -1)
        ends[at : at + 1] = [j]
        last[at : at + 1] = [index]
    run: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        run.append(pairs[index])
        index = previous[index]
    return run[::-1]
