"""What each text of a query plan finds in both indexes.

plan = spelt(plan_query(query, history), catalog)
own, *around = find(catalog, nearest, plan, embedder.embed_queries(plan.meanings), limit=50)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.embedders.ordinary import ordinary_words
from dialog.knowledge.lexical import lexical_search
from dialog.knowledge.query import QueryPlan
from dialog.knowledge.ranking import Found, Hits
from dialog.knowledge.typos import corrected, corrections
from dialog.knowledge.vectors import Nearest


def spelt(plan: QueryPlan, catalog: Catalog, *, among: Sequence[int] | None = None) -> QueryPlan:
    """The plan with misspelt names searched for as the passages (of `among`) write them."""
    found = corrections(catalog, plan.query, ordinary=ordinary_words, among=among)
    return plan.spelt(corrected(plan.query, found)) if found else plan


def find(
    catalog: Catalog,
    nearest: Nearest,
    plan: QueryPlan,
    vectors: np.ndarray,
    *,
    limit: int,
    among: Sequence[int] | None = None,
) -> list[Hits]:
    """What the turn alone found, then what its context did; `vectors` are those of `plan.meanings`."""

    def lexical(text: str) -> Found:
        return lexical_search(catalog, text, limit=limit, among=among)

    def dense(number: int) -> Found:
        return nearest.nearest(vectors[number], limit=limit, among=among)

    own = Hits(lexical=lexical(plan.query), dense=dense(0))
    if plan.corrected:
        both = f"{plan.query}\n{plan.corrected}"
        own = Hits(lexical=lexical(both), dense=_better(own.dense, dense(len(vectors) - 1), limit=limit))
    if not plan.context or not plan.context_terms:
        return [own]
    return [own, Hits(lexical=lexical(plan.context_terms), dense=dense(1))]


def _better(left: Found, right: Found, *, limit: int) -> Found:
    """Each chunk with the better of its scores, best first."""
    best = dict(left)
    for number, score in right:
        best[number] = max(score, best.get(number, score))
    return sorted(best.items(), key=lambda found: -found[1])[:limit]
