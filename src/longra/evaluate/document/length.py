"""Length beside the length that was asked for."""


def length_score(required: int, written: int) -> float:
    """S_l of LongBench-Write, from 0 to 100.

    100 where the text is as long as required; it falls in a straight line to 0 at four times that, and to 0 at a third:
    `100 max(0, 1 - (l'/l - 1) / 3)` for l' > l, else `100 max(0, 1 - (l/l' - 1) / 2)` (Bai et al., LongWriter: Unleashing
    10,000+ word generation from long context LLMs, arXiv 2408.07055, section 2).

    Args:
        required: l, words or characters, at least 1.
        written: l'.
    """
    if written == 0:
        return 0.0
    over = written > required
    excess = (written / required - 1) / 3 if over else (required / written - 1) / 2
    return 100 * max(0.0, 1 - excess)
