"""What each text of a query plan finds in both indexes, within what the search may see.

plan = spelt(plan_query(query, history), store.catalog, generation, view=view)
dense = begin(generation, embedder.embed_queries(plan.meanings), limit=50, view=view)
own, *around = find(generation, plan, dense, limit=50, view=view)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.embedders.ordinary import ordinary_words
from dialog.knowledge.evidence import coverage, term_rarity
from dialog.knowledge.freshness import Dated, newest_first, subject
from dialog.knowledge.published import Frequencies, Generation
from dialog.knowledge.query import QueryPlan
from dialog.knowledge.ranking import Found, Hits, Ranked
from dialog.knowledge.typos import Names, corrected, corrections
from dialog.knowledge.vectors import Search
from dialog.knowledge.views import View

_SPARE = 10
"""Passages looked at beyond those asked for: a newer answer may stand just below."""


def spelt(plan: QueryPlan, catalog: Catalog, generation: Generation, *, view: View) -> QueryPlan:
    """The plan with misspelt names searched for as the passages of the view write them."""
    names = Names(catalog, generation.lexicon, view)
    found = corrections(names, plan.query, ordinary=ordinary_words)
    return plan.spelt(corrected(plan.query, found)) if found else plan


def begin(generation: Generation, vectors: np.ndarray, *, limit: int, view: View) -> list[Search]:
    """The dense legs, which may be looked for elsewhere while this thread does the lexical ones."""
    return [generation.nearest.begin(vector, limit=limit, view=view) for vector in vectors]


def find(
    generation: Generation, plan: QueryPlan, dense: Sequence[Search], *, limit: int, view: View
) -> list[Hits]:
    """What the turn alone found, then what its context did; `dense` are begun for `plan.meanings`."""

    def lexical(text: str) -> Found:
        return generation.lexicon.search(text, limit=limit, view=view)

    if plan.corrected:
        words = lexical(f"{plan.query}\n{plan.corrected}")
        own = Hits(lexical=words, dense=_better(dense[0](), dense[-1](), limit=limit))
    else:
        own = Hits(lexical=lexical(plan.query), dense=dense[0]())
    if not plan.context or not plan.context_terms:
        return [own]
    return [own, Hits(lexical=lexical(plan.context_terms), dense=dense[1]())]


def fresh_first(
    ranked: list[Ranked], plan: QueryPlan, catalog: Catalog, generation: Generation, *, view: View, top_k: int
) -> list[Ranked]:
    """The first of a ranking, the newer of two that tie before the older."""
    looked_at = ranked[: top_k + _SPARE]
    days = generation.updated([one.number for one in looked_at])
    if sum(day > 0 for day in days) < 2:
        return looked_at[:top_k]
    asked = plan.context_terms if plan.leans and plan.context_terms else plan.query
    rarity = term_rarity(Frequencies(generation.lexicon, view), asked, num_chunks=view.num_chunks)
    rows = catalog.chunks([one.number for one in looked_at])
    dated = [
        Dated(one.score, subject(row), day, coverage(rarity, f"{row.heading}\n{row.text}"))
        for one, row, day in zip(looked_at, rows, days, strict=True)
    ]
    # A place keeps its score, so that scores still fall.
    return [
        Ranked(number=looked_at[place].number, score=one.score)
        for place, one in zip(newest_first(dated), looked_at, strict=True)
    ][:top_k]


def _better(left: Found, right: Found, *, limit: int) -> Found:
    """Each chunk with the better of its scores, best first."""
    best = dict(left)
    for number, score in right:
        best[number] = max(score, best.get(number, score))
    return sorted(best.items(), key=lambda found: -found[1])[:limit]
