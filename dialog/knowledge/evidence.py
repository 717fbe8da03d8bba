"""Evidence for what a search found, read off the legs' own results."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dialog.knowledge.abstain import Evidence
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.query import QueryPlan
from dialog.knowledge.ranking import Hits
from dialog.knowledge.rows import ChunkRow
from dialog.knowledge.segment import query_terms, terms

_LOOKED_AT = 3
"""The answer need not stand in the very first passage."""


def weigh(
    catalog: Catalog, plan: QueryPlan, best: Sequence[ChunkRow], legs: Sequence[Hits], *, background: float
) -> Evidence | None:
    """Evidence for the first passages of a search; None if there are none.

    Args:
        catalog: for how rare terms are.
        plan: what was searched for; a turn that leans on its context is judged with it.
        best: the passages found, best first.
        legs: what the turn alone found, then what it found in its context.
        background: mean cosine of the turn and all passages.
    """
    if not best:
        return None
    judged = legs if plan.leans else legs[:1]
    return Evidence(
        cosine=max((leg.dense[0][1] for leg in judged if leg.dense), default=0.0),
        background=background,
        coverage=max(coverage(catalog, plan.query, row) for row in best[:_LOOKED_AT]),
    )


def coverage(catalog: Catalog, query: str, row: ChunkRow) -> float:
    """Share of the query's informative terms the passage contains, each weighted by its rarity."""
    wanted = query_terms(query)
    if not wanted:
        return 0.0
    num_chunks = max(1, catalog.counts()[1])
    frequencies = catalog.document_frequencies(wanted)
    weights = {term: math.log(1 + num_chunks / (1 + frequencies.get(term, 0))) for term in wanted}
    present = set(terms(f"{row.heading}\n{row.text}"))
    return sum(weights[term] for term in wanted if term in present) / sum(weights.values())
