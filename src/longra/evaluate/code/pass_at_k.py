"""pass@k: how likely at least one of k answers passes (Chen et al., Evaluating large language models trained on code, 2021)."""

import math


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The unbiased estimator 1 - C(n - c, k) / C(n, k), as a product that neither overflows nor cancels.

    Args:
        samples: answers that were tried, n.
        passed: those of them that passed, c.
        k: 1 to n.
    """
    if samples - passed < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(samples - passed + 1, samples + 1))
