"""Success of whole conversations, and pass^k: do all of k tries succeed?

A try is one run of a conversation (a seed). It counts where some try of the
conversation has a verdict; a try without one failed.

Source: Yao et al. 2024, "tau-bench", section 3: pass^k is the mean over tasks of
C(c, k) / C(n, k) for c successes in n tries. Tasks with fewer than k tries are n/a.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import divided

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats


class Success:
    """0..1: the share of tries that succeeded."""

    name = "success"
    unit = "share"
    higher_is_better: bool | None = True
    signature = "per:try|missing:failed"
    size = 2

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        verdicts = [verdict for tries in _tries(turns).values() for verdict in tries]
        return np.array([float(sum(verdicts)), float(len(verdicts))])

    def value(self, sums: Floats) -> Floats:
        return divided(sums[..., 0], sums[..., 1])


class PassHat:
    """0..1: the chance that k tries of a conversation all succeed, the mean over conversations."""

    unit = "share"
    higher_is_better: bool | None = True
    size = 2

    def __init__(self, k: int) -> None:
        if k < 1:
            raise ValueError(f"pass^{k}: k must be at least 1")
        self.name = f"pass^{k}"
        self.signature = f"C(c,{k})/C(n,{k})|avg:conversation|fewer-tries:n/a|missing:failed"
        self._k = k

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        sums = np.zeros(2)
        for tries in _tries(turns).values():
            if len(tries) >= self._k:
                sums += [math.comb(sum(tries), self._k) / math.comb(len(tries), self._k), 1]
        return sums

    def value(self, sums: Floats) -> Floats:
        return divided(sums[..., 0], sums[..., 1])


def _tries(turns: Sequence[JudgedTurn]) -> dict[str, list[bool]]:
    """Verdicts by conversation, one for each seed; conversations without any verdict are left out."""
    verdicts: dict[str, dict[int, bool | None]] = {}
    for turn in turns:
        seeds = verdicts.setdefault(turn.conversation_id, {})
        seen = seeds.setdefault(turn.seed, None)
        said = turn.given.succeeded
        # Where several turns carry a verdict, all must be good.
        seeds[turn.seed] = said if seen is None else seen if said is None else seen and said
    return {
        name: [bool(verdict) for verdict in seeds.values()]
        for name, seeds in verdicts.items()
        if any(verdict is not None for verdict in seeds.values())
    }
