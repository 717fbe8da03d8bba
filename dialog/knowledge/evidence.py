"""Evidence for what a search found, read off the legs' own results."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Protocol

from dialog.knowledge.abstain import Evidence
from dialog.knowledge.query import QueryPlan
from dialog.knowledge.ranking import Hits
from dialog.knowledge.rows import ChunkRow
from dialog.knowledge.segment import query_terms, terms


class Frequencies(Protocol):
    """A catalog, or what a search may see of one."""

    def document_frequencies(self, wanted: Sequence[str]) -> dict[str, int]: ...


_LOOKED_AT = 3
"""The answer need not stand in the very first passage."""
_LED = 10
"""A passage that answers stands out from the tenth; of unrelated ones none does."""


def weigh(
    plan: QueryPlan,
    best: Sequence[ChunkRow],
    legs: Sequence[Hits],
    *,
    rarity: Mapping[str, float],
    held: Callable[[Sequence[str], int], Set[str]],
    background: float,
) -> Evidence | None:
    """Evidence for the first passages of a search; None if there are none.

    Args:
        plan: what was searched for; a turn that leans on its context is judged with it.
        best: the passages found, best first.
        legs: what the turn alone found, then what it found in its context.
        rarity: the turn's informative terms and how much each tells.
        held: which of some terms stand in the chunk with a number.
        background: mean cosine of the turn and all passages.
    """
    if not best:
        return None
    judged = [leg.dense for leg in (legs if plan.leans else legs[:1]) if leg.dense]
    nearest = max(judged, key=lambda dense: dense[0][1], default=None)
    return Evidence(
        cosine=nearest[0][1] if nearest else 0.0,
        background=background,
        coverage=max(_share(rarity, held(list(rarity), row.number)) for row in best[:_LOOKED_AT]),
        lead=nearest[0][1] - nearest[_LED - 1][1] if nearest and len(nearest) >= _LED else 0.0,
    )


def term_rarity(catalog: Frequencies, query: str, *, num_chunks: int) -> dict[str, float]:
    """The query's informative terms with their inverse document frequency, smoothed."""
    wanted = query_terms(query)
    frequencies = catalog.document_frequencies(wanted)
    return {term: math.log(1 + max(1, num_chunks) / (1 + frequencies.get(term, 0))) for term in wanted}


def coverage(rarity: Mapping[str, float], text: str) -> float:
    """Share of the weight of the terms that the text contains; 0 where there are no terms."""
    return _share(rarity, set(terms(text)) if rarity else set())


def _share(rarity: Mapping[str, float], present: Set[str]) -> float:
    return sum(weight for term, weight in rarity.items() if term in present) / (sum(rarity.values()) or 1.0)
