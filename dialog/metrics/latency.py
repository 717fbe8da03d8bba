"""Latency: quantiles over all turns of the time to the whole reply and to its first token, in milliseconds.

Turns of which the agent says no time are left out: a crash is not quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.histogram import LEAST, MOST, NUM_BINS, RELATIVE_ERROR, histogram, quantile
from dialog.metrics.judged import Given, JudgedTurn

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats


class Latency:
    """A quantile in ms, within 1 % of a time that occurred.

    Args:
        percent: which quantile, in 1..100.
    """

    unit = "ms"
    higher_is_better: bool | None = False
    size = NUM_BINS

    def __init__(self, percent: int, *, seconds: Callable[[Given], float | None], prefix: str = "") -> None:
        if not 1 <= percent <= 100:
            raise ValueError(f"p{percent} is no quantile; write 1 to 100")
        self.name = f"{prefix}p{percent}_ms"
        self.signature = f"nearest-rank|relative-error:{RELATIVE_ERROR:g}|range:{LEAST:g}-{MOST:g}s"
        self._q = percent / 100
        self._seconds = seconds

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        found = (self._seconds(turn.given) for turn in turns)
        return histogram(seconds for seconds in found if seconds is not None)

    def value(self, sums: Floats) -> Floats:
        return np.asarray(quantile(sums, self._q) * 1000)


def reply_latency(percent: int) -> Latency:
    """To the whole reply."""
    return Latency(percent, seconds=lambda given: given.latency_s)


def first_token_latency(percent: int) -> Latency:
    """To the first token."""
    return Latency(percent, seconds=lambda given: given.first_token_s, prefix="first_token_")
