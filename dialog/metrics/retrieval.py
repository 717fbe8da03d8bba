"""Retrieval: hit@k, recall@k, MRR and nDCG@k of what an agent looked up.

Turns of which the sources are known count; an agent that looked nothing up, or
does not say, found nothing. A passage counts for the first wanted source it
names that no earlier one did: ten passages of one document are one hit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Part, Ratio

_SIGNATURE = "match:exact-name|missing:0|avg:turn"


def hit(k: int = 5) -> Ratio:
    """Share of turns with a wanted source among the first k."""
    return _metric(f"hit@{k}", k, lambda ranks, _: float(bool(ranks)))


def recall(k: int = 5) -> Ratio:
    """Share of the wanted sources that are among the first k, the mean over turns."""
    return _metric(f"recall@{k}", k, lambda ranks, num_wanted: len(ranks) / num_wanted)


def mrr(k: int = 10) -> Ratio:
    """Mean of 1 / rank of the first wanted source; 0 where it is not among the first k."""
    return _metric(f"mrr@{k}", k, lambda ranks, _: 1 / ranks[0] if ranks else 0.0)


def ndcg(k: int = 10) -> Ratio:
    """Discounted gain of the wanted sources among the first k as a share of the best possible.

    Source: Jarvelin and Kekalainen 2002, with gain 0 or 1 and discount log2(1 + rank).
    """

    def score(ranks: Sequence[int], num_wanted: int) -> float:
        best = sum(1 / math.log2(1 + rank) for rank in range(1, min(k, num_wanted) + 1))
        return sum(1 / math.log2(1 + rank) for rank in ranks) / best

    return _metric(f"ndcg@{k}", k, score)


def _metric(name: str, k: int, score: Callable[[Sequence[int], int], float]) -> Ratio:
    """`score` gets the ranks (from 1) of hits among the first k, and how many sources are wanted."""
    if k < 1:
        raise ValueError(f"{name}: k must be at least 1")

    def part(turn: JudgedTurn) -> Part | None:
        wanted = set(turn.wanted.sources or ())
        if not wanted:
            return None
        return score(_ranks(turn.given.retrieved or (), wanted, k), len(wanted)), 1

    return Ratio(name, "share", True, f"k:{k}|{_SIGNATURE}", part)


def _ranks(retrieved: Sequence[str | tuple[str, ...]], wanted: set[str], k: int) -> list[int]:
    ranks: list[int] = []
    missing = set(wanted)
    for rank, names in enumerate(retrieved[:k], start=1):
        hits = missing & ({names} if isinstance(names, str) else {*names})
        if hits:
            missing.remove(min(hits))
            ranks.append(rank)
    return ranks
