"""Control limits: how many would surprise, given what came before, at a stated rate of false alarms.

    baseline = Baseline.of(counts_before, num_days=56)
    p = baseline.surprise(9, num_days=1)      # chance of 9 or more on a quiet day

The count of a day is Poisson with a rate that is not known but has been seen
for some days; what is to come then is negative binomial, wider the less was
seen. Days that vary more than Poisson (one story, twenty reprints) widen it
further. Shares are beta-binomial in the same way.

Source: Gelman et al., Bayesian Data Analysis (3rd ed.), 2.6 (gamma-Poisson) and 2.4 (beta-binomial),
Jeffreys' priors; over-dispersion by the ratio of variance to mean, never below 1, is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_PRIOR_SHAPE = 0.5
_MOST = 100_000


@dataclass(frozen=True)
class Baseline:
    """What quiet days were like.

    Attributes:
        total: events seen in them.
        num_days: how many they were; at least 1.
        dispersion: variance over mean of the days, at least 1.
    """

    total: float
    num_days: int
    dispersion: float = 1.0

    @classmethod
    def of(cls, counts: Sequence[float], *, num_days: int) -> Baseline:
        """From the counts of the days that had any, of `num_days` (at least 1) in all."""
        if not any(counts):
            return cls(0.0, num_days)
        mean = sum(counts) / num_days
        squares = sum(count**2 for count in counts) - num_days * mean**2
        return cls(sum(counts), num_days, max(1.0, round(squares / max(1, num_days - 1) / mean, 6)))

    def expected(self, num_days: int = 1) -> float:
        """Mean count of so many days to come."""
        return (self.total + _PRIOR_SHAPE) * num_days / self.num_days

    def surprise(self, count: int, *, num_days: int = 1) -> float:
        """Chance of `count` or more in so many quiet days to come, in [0, 1]."""
        mean = self.expected(num_days)
        variance = mean * self.dispersion + mean**2 / (self.total + _PRIOR_SHAPE)
        shape = mean**2 / (variance - mean)
        return _negative_binomial_tail(count, shape, mean)

    def limit(self, chance: float, *, num_days: int = 1) -> int:
        """The smallest count whose surprise is at most `chance`."""
        return _limit(self, chance, num_days)


@lru_cache(maxsize=65536)
def _limit(baseline: Baseline, chance: float, num_days: int) -> int:
    low, high = 0, 1
    while baseline.surprise(high, num_days=num_days) > chance and high < _MOST:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        is_enough = baseline.surprise(middle, num_days=num_days) <= chance
        low, high = (low, middle) if is_enough else (middle, high)
    return high


def share_surprise(hits: int, total: int, hits_before: float, total_before: float) -> float:
    """Chance that `hits` or more of `total` are so by a share as before (beta-binomial), in [0, 1]."""
    if hits <= 0:
        return 1.0
    a, b = hits_before + 0.5, max(0.0, total_before - hits_before) + 0.5
    terms = (
        math.lgamma(total + 1)
        - math.lgamma(k + 1)
        - math.lgamma(total - k + 1)
        + _log_beta(k + a, total - k + b)
        - _log_beta(a, b)
        for k in range(hits, total + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def _negative_binomial_tail(count: int, shape: float, mean: float) -> float:
    """P(X >= count), summed from the side with fewer terms."""
    if count <= 0:
        return 1.0
    log_miss, log_hit = math.log(shape / (shape + mean)), math.log(mean / (shape + mean))

    def mass(k: int) -> float:
        log_ways = math.lgamma(k + shape) - math.lgamma(shape) - math.lgamma(k + 1)
        return math.exp(log_ways + shape * log_miss + k * log_hit)

    if count <= mean:
        return max(0.0, 1.0 - math.fsum(mass(k) for k in range(count)))
    tail, k = [], count
    while k < _MOST:
        term = mass(k)
        tail.append(term)
        if term < 1e-17 or term < 1e-6 * tail[0]:
            break
        k += 1
    return min(1.0, math.fsum(tail))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
