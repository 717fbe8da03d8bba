"""Chance, with conversations as its unit: intervals by bootstrap, p-values by exchanging the agents.

Turns of one conversation resemble each other, so conversations are drawn, not
turns. A metric's tallies add up, so a resample is a weighting of rows: nothing
is scored again. Both agents are drawn with the same weights (paired).

    sample = Sample(Draws(ids), tallies_a, tallies_b, value)
    difference = sample.difference()
    difference.point, difference.interval(0.95), difference.se, sample.p_value()

The random numbers depend on the conversations' ids alone: neither the order of
files nor the number of workers changes a digit.

Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3
(percentile intervals), widened for small samples as in Hesterberg 2015, "What
Teachers Should Know About the Bootstrap", section 5.3 (the expanded
percentile). BCa was set aside: its acceleration is a jackknife's, which is
inconsistent for quantiles such as p95. Noreen 1989, "Computer-Intensive
Methods for Testing Hypotheses" (approximate randomisation); p = (1 + extreme
ones) / (1 + all), so it is never 0.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Value = Callable[["Floats"], "Floats"]

RESAMPLES = 10_000
_MIN_RESAMPLES = 1000
_MAX_DRAWS = 100_000_000
POWER = 0.8
_CHUNK = 500
_MIN_FINITE = 0.9
"""Share of resamples that must have a value; below it an interval would tell of the others only."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Estimate:
    """A quantity and how it varies from sample to sample; NaN and n/a where nothing can be said.

    Attributes:
        point: on the conversations as they are.
        replicates: of the bootstrap, sorted, finite ones only.
        num: conversations it rests on.
        num_telling: those that can speak against sameness: of a difference, those where
            the agents differ.
        p_less, p_more: of a difference, how often exchanging the agents gives one as low, as high; else None.
    """

    point: float
    replicates: Floats
    num: int
    num_telling: int
    p_less: float | None = None
    p_more: float | None = None

    @property
    def is_known(self) -> bool:
        """False if there are no replicates to speak of: an empty denominator, or a single conversation."""
        return self.num > 1 and len(self.replicates) > 0 and math.isfinite(self.point)

    @property
    def se(self) -> float:
        """Standard error; NaN if unknown."""
        widening = math.sqrt(self.num / (self.num - 1)) if self.num > 1 else math.nan
        return float(self.replicates.std()) * widening if self.is_known else math.nan

    def interval(self, level: float) -> tuple[float, float]:
        """Two-sided, of confidence `level` in (0, 1); NaNs if unknown."""
        if not self.is_known:
            return (math.nan, math.nan)
        tail = _NORMAL.cdf(-_widened(1 - level, self.num))
        low, high = np.quantile(self.replicates, [tail, 1 - tail])
        return (float(low), float(high))

    def p_beyond(self, threshold: float, *, below: bool, or_at: bool) -> float:
        """How surprising the replicates would be if the quantity were not beyond `threshold`.

        One-sided, as the claim is: half the level at which the two-sided interval just stops
        excluding the threshold, at least 2^-n: n conversations have no more to say. 1 if unknown.

        Args:
            below: beyond means less, else more.
            or_at: the threshold itself counts as beyond.
        """
        return self._p(threshold, below=below, or_at=or_at, num=self.num)

    def p_changed(self, threshold: float, *, below: bool, or_at: bool) -> float:
        """The same, as a claim that something changed: only conversations that tell of it count.

        The bootstrap is too sure where few conversations differ, all in one
        direction; against 0 the exchange of the agents, which is exact, has a say, too.
        """
        p = self._p(threshold, below=below, or_at=or_at, num=self.num_telling)
        exchanged = self.p_less if below else self.p_more
        return max(p, exchanged) if threshold == 0 and exchanged is not None else p

    def _p(self, threshold: float, *, below: bool, or_at: bool, num: int) -> float:
        if not self.is_known:
            return 1.0
        signs = np.sign(self.replicates - threshold) * (-1 if below else 1)
        against = int((signs < 0).sum() if or_at else (signs <= 0).sum())
        share = min(max(against, 0.5) / len(self.replicates), 1 - 0.5 / len(self.replicates))
        z = -_NORMAL.inv_cdf(share)
        return 1.0 if z <= 0 else min(1.0, max(_level_of(z, self.num) / 2, 2.0**-num))

    def mde(self, level: float = 0.95) -> float:
        """The smallest true change that would be found at `level` in 80 % of such samples; NaN if unknown."""
        return (_NORMAL.inv_cdf(0.5 + level / 2) + _NORMAL.inv_cdf(POWER)) * self.se


class Draws:
    """The random numbers of a set of conversations, made once for all metrics.

    Args:
        ids: of the conversations, sorted; at least one.
        resamples: fewer where there are very many conversations.

    Attributes:
        weights: how often each is drawn, shape (resamples, n); over 255 never happens.
        swaps: whether its agents are exchanged, 0 or 1, same shape.
    """

    def __init__(self, ids: Sequence[str], *, resamples: int = RESAMPLES) -> None:
        if not ids or list(ids) != sorted(ids):
            raise ValueError("conversations must be sorted by id, at least one")
        self.num_ids = len(ids)
        num = min(resamples, max(_MIN_RESAMPLES, _MAX_DRAWS // len(ids)))
        even = np.full(len(ids), 1 / len(ids))
        drawing, swapping = _chance(ids, "draw"), _chance(ids, "exchange")
        self.weights = np.concatenate(
            [drawing.multinomial(len(ids), even, size=size).astype(np.uint8) for size in _chunks(num)]
        )
        self.swaps = swapping.integers(0, 2, size=(num, len(ids)), dtype=np.uint8)

    def sums(self, draws: NDArray[np.uint8], rows: Floats) -> Floats:
        """Weighted sums of rows, shape (resamples, size)."""
        parts = range(0, len(draws), _CHUNK)
        return np.concatenate([draws[at : at + _CHUNK].astype(np.float64) @ rows for at in parts])


class Sample:
    """One metric's tallies by conversation, of one agent or of two.

    Args:
        draws: of the conversations; row by row those of the tallies.
        a: shape (n, size).
        b: the same for the other agent; None if there is none.
        value: sums of shape (..., size) to scores of shape (...).
    """

    def __init__(self, draws: Draws, a: Floats, b: Floats | None, value: Value) -> None:
        self._draws = draws
        self._a = a
        self._b = b
        self._value = value
        says = a.any(axis=1) if b is None else a.any(axis=1) | b.any(axis=1)
        self.num = int(says.sum())
        self._replicates_a = self._scores(draws.sums(draws.weights, a))
        self._replicates_b = None if b is None else self._scores(draws.sums(draws.weights, b))

    def of_a(self) -> Estimate:
        return self._estimate(self._scores(self._a.sum(axis=0)), self._replicates_a)

    def of_b(self) -> Estimate:
        """Raises ValueError if there is no other agent."""
        b, replicates_b = self._other()
        return self._estimate(self._scores(b.sum(axis=0)), replicates_b)

    def difference(self) -> Estimate:
        """A minus B. Raises ValueError if there is no other agent."""
        b, replicates_b = self._other()
        point = self._scores(self._a.sum(axis=0)) - self._scores(b.sum(axis=0))
        num_telling = int((self._a != b).any(axis=1).sum())
        found = self._estimate(point, self._replicates_a - replicates_b)
        if not math.isfinite(found.point):
            return replace(found, num_telling=num_telling)
        return replace(
            found,
            num_telling=num_telling,
            p_less=_share(self._exchanged <= found.point + _tie(found.point)),
            p_more=_share(self._exchanged >= found.point - _tie(found.point)),
        )

    def p_value(self) -> float:
        """Two-sided, of "both are the same": how often exchanging them gives a difference this large.

        NaN where the difference is n/a.

        Raises:
            ValueError: there is no other agent.
        """
        b, _ = self._other()
        observed = abs(float(self._scores(self._a.sum(axis=0)) - self._scores(b.sum(axis=0))))
        if not math.isfinite(observed):
            return math.nan
        return _share(np.abs(self._exchanged) >= observed - _tie(observed))

    @cached_property
    def _exchanged(self) -> Floats:
        """Differences with the agents exchanged at random, finite ones only."""
        b, _ = self._other()
        swapped = self._draws.sums(self._draws.swaps, self._a - b)
        total_a, total_b = self._a.sum(axis=0), b.sum(axis=0)
        differences = self._scores(total_a - swapped) - self._scores(total_b + swapped)
        return differences[np.isfinite(differences)]

    def _other(self) -> tuple[Floats, Floats]:
        if self._b is None or self._replicates_b is None:
            raise ValueError("there is no other agent to compare with")
        return self._b, self._replicates_b

    def _scores(self, sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self._value(sums), dtype=np.float64)

    def _estimate(self, point: Floats, replicates: Floats) -> Estimate:
        finite = np.sort(replicates[np.isfinite(replicates)])
        if len(finite) < _MIN_FINITE * len(replicates):
            finite = finite[:0]
        return Estimate(float(point), finite, self.num, num_telling=self.num)


def _share(is_extreme: NDArray[np.bool_]) -> float:
    """The p-value of a test by exchange: the sample itself is one of the arrangements."""
    return (1 + int(is_extreme.sum())) / (1 + len(is_extreme))


def _tie(value: float) -> float:
    """Sums in another order differ in their last digits."""
    return abs(value) * 1e-9 + 1e-12


def t_quantile(share: float, freedom: int) -> float:
    """Student's t below which `share` of it lies, `freedom` >= 1; for share >= 0.5 within 1 % at 0.999.

    Source: Abramowitz & Stegun 1964, 26.7.5 (Cornish-Fisher); closed forms for 1 and 2.
    """
    if freedom == 1:
        return math.tan(math.pi * (share - 0.5))
    if freedom == 2:
        return (2 * share - 1) * math.sqrt(2 / (4 * share * (1 - share)))
    z = _NORMAL.inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, start=1))


def _widened(alpha: float, num: int) -> float:
    """The normal deviate at which an interval of `num` conversations leaves out `alpha` in all."""
    return math.sqrt(num / (num - 1)) * t_quantile(1 - alpha / 2, num - 1)


def _level_of(z: float, num: int) -> float:
    """The alpha whose widened deviate is `z` > 0, by bisection on its logarithm."""
    low, high = math.log(1e-12), 0.0
    for _ in range(60):
        middle = (low + high) / 2
        if _widened(math.exp(middle), num) > z:
            low = middle
        else:
            high = middle
    return math.exp(high)


def _chance(ids: Sequence[str], purpose: str) -> np.random.Generator:
    content = hashlib.sha256(purpose.encode())
    for one in ids:
        content.update(hashlib.sha256(one.encode("utf-8", "backslashreplace")).digest())
    return np.random.default_rng(int.from_bytes(content.digest()[:16], "big"))


def _chunks(resamples: int) -> list[int]:
    full, rest = divmod(resamples, _CHUNK)
    return [_CHUNK] * full + ([rest] if rest else [])
