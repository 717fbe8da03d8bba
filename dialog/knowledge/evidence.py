"""Evidence for the best passage, read off the legs' own results."""

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


def weigh(
    catalog: Catalog, plan: QueryPlan, best: Sequence[ChunkRow], legs: Sequence[Hits]
) -> Evidence | None:
    """Evidence of the first passages of the fused list; None if there are none.

    The best coverage and cosine among the first three count: the answer need
    not stand in the very first.
    """
    if not best:
        return None
    looked_at = best[:_LOOKED_AT]
    numbers = {row.number for row in looked_at}
    cosines = [cosine for leg in legs for _, cosine in leg.dense]
    near = [cosine for leg in legs for number, cosine in leg.dense if number in numbers]
    rankings = [found for leg in legs for found in (leg.lexical, leg.dense) if found]
    agreeing = [found for found in rankings if numbers & {number for number, _ in found[:_LOOKED_AT]}]
    cosine = max(near, default=0.0)
    return Evidence(
        cosine=cosine,
        margin=cosine - sum(cosines) / len(cosines) if cosines else 0.0,
        coverage=max(coverage(catalog, plan.rewritten or plan.query, row) for row in looked_at),
        agreement=len(agreeing) / len(rankings) if rankings else 0.0,
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
