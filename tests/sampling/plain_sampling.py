"""What each cut and penalty means, in the plainest float64 code that says it: the reference of the tests here."""

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


def order(logits: npt.ArrayLike) -> list[int]:
    """Token ids, most likely first, the lowest id first among equals."""
    values = np.asarray(logits, np.float64)
    return sorted((t for t in range(len(values)) if values[t] > -np.inf), key=lambda t: (-values[t], t))


def softmax(values: npt.ArrayLike) -> Float64:
    array = np.asarray(values, np.float64)
    weights = np.exp(array - array.max())
    return weights / weights.sum()


def top_k(logits: npt.ArrayLike, k: int) -> list[int]:
    return order(logits)[:k]


def top_p(ids: list[int], logits: npt.ArrayLike, mass: float) -> list[int]:
    shares = softmax(np.asarray(logits, np.float64)[ids])
    kept, total = [], 0.0
    for token, share in zip(ids, shares, strict=True):
        kept.append(token)
        total += share
        if total >= mass:
            break
    return kept


def min_p(ids: list[int], logits: npt.ArrayLike, share: float) -> list[int]:
    shares = softmax(np.asarray(logits, np.float64)[ids])
    return [token for token, value in zip(ids, shares, strict=True) if value >= share * shares[0]]


def typical_p(ids: list[int], logits: npt.ArrayLike, mass: float) -> list[int]:
    shares = softmax(np.asarray(logits, np.float64)[ids])
    surprise = [-np.log(value) for value in shares]
    entropy = sum(value * bits for value, bits in zip(shares, surprise, strict=True))
    places = sorted(range(len(ids)), key=lambda i: (abs(surprise[i] - entropy), i))
    kept, total = [], 0.0
    for place in places:
        kept.append(place)
        total += shares[place]
        if total >= mass:
            break
    return [ids[place] for place in sorted(kept)]


def no_repeat(tokens: list[int], size: int) -> set[int]:
    """Tokens that would complete a run of `size` tokens that is there already."""
    tail = tokens[len(tokens) - size + 1 :] if size > 1 else []
    if len(tail) < size - 1:
        return set()
    runs = [tokens[i : i + size] for i in range(len(tokens) - size + 1)]
    return {run[-1] for run in runs if run[:-1] == tail}


def dry(
    tokens: list[int], vocabulary: int, multiplier: float, base: float, allowed: int, breakers: set[int], longest: int
) -> Float64:
    """The penalty of each token, by trying every earlier place."""
    penalties = np.zeros(vocabulary)
    for follower in set(tokens) - breakers:
        best = 0
        for place in range(1, len(tokens)):
            if tokens[place] != follower:
                continue
            run = 0
            while (
                place - 1 - run >= 0
                and tokens[place - 1 - run] == tokens[len(tokens) - 1 - run]
                and tokens[place - 1 - run] not in breakers
            ):
                run += 1
            best = max(best, run)
        if best >= allowed:
            penalties[follower] = multiplier * base ** (min(best, longest) - allowed)
    return penalties
