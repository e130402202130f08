"""What the votes of a study say, in sentences."""

from collections.abc import Mapping

from longra.evaluate.human.figures import FEW, Figure
from longra.evaluate.human.preferences import Pair
from longra.evaluate.human.summary import Summary

Words = Mapping[str, str]


def head(found: Summary, words: Words) -> str:
    """How much was judged."""
    return words["head"].format(
        votes=_count(found.votes, words["vote"], words["n_votes"]),
        people=_count(len(found.raters), words["person"], words["people"]),
        items=_count(found.items, words["item"], words["items"]),
        seed=found.study.seed,
    )


def verdicts(found: Summary, words: Words) -> list[str]:
    """Of each two systems which is better, and whether that may be chance."""
    return [_verdict(pair, found.items < FEW, words) for pair in found.pairs]


def _verdict(pair: Pair, few: bool, words: Words) -> str:
    rate = pair.win_rate
    if rate is None:
        return words["undecided"].format(one=pair.first, other=pair.second)
    one, other = pair.first, pair.second
    if rate.value < 0.5:
        one, other, rate = other, one, _reversed(rate)
    if few or rate.low is None or rate.high is None:
        return words["guess"].format(one=one, other=other, rate=percent(rate.value))
    span = words["range"].format(low=percent(rate.low), high=percent(rate.high))
    sentence = words["better"] if rate.low > 0.5 else words["even"]
    return sentence.format(one=one, other=other, rate=percent(rate.value), range=span)


def notes(found: Summary, words: Words) -> list[str]:
    """What a reader should know before believing the figures."""
    said = []
    if found.items < FEW:
        said.append(words["few"].format(items=_count(found.items, words["item"], words["items"]), few=FEW))
    if len(found.raters) == 1:
        said.append(words["alone"])
    for rater in found.raters:
        if rater.votes < found.questions:
            numbers = {"votes": f"{rater.votes:,}", "questions": f"{found.questions:,}"}
            said.append(words["unfinished"].format(name=rater.name, **numbers))
    return said


def percent(share: float) -> str:
    """A share of one."""
    return f"{100 * share:.1f} %"


def _reversed(rate: Figure) -> Figure:
    """The win rate of the other one."""
    if rate.low is None or rate.high is None:
        return Figure(1 - rate.value)
    return Figure(1 - rate.value, 1 - rate.high, 1 - rate.low)


def _count(number: int, one: str, several: str) -> str:
    return one if number == 1 else several.format(n=f"{number:,}")
