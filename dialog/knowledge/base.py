"""An index to search in: query in context, two legs, fusion, and the admission that nothing fits.

    knowledge = open_knowledge(Path("kb"), KnowledgeSection())
    result = knowledge.search("How long is the warranty?", top_k=3)
    if not result.abstain:
        print(result.passages[0].text, result.passages[0].source)

Safe to share between threads. A search sees one published state of the index
from beginning to end, and the next search sees what was published since.

Whose documents a search sees is a property of the knowledge base, not of the
search: `knowledge.for_tenant("acme")` sees acme's and everybody's, and there
is no argument by which a caller, a skill or a user's words could see more.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dialog.knowledge.abstain import THRESHOLDS, Evidence, confidence
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.evidence import coverage, term_rarity, weigh
from dialog.knowledge.facets import locale_tag, tenant_name
from dialog.knowledge.freshness import Dated, newest_first, subject
from dialog.knowledge.manifest import Manifest
from dialog.knowledge.published import Frequencies, Generation, OpenStore, Store
from dialog.knowledge.query import QueryPlan, plan_query
from dialog.knowledge.ranking import Found, Hits, Ranked, rank
from dialog.knowledge.rows import ChunkRow
from dialog.knowledge.vectors import EXACT_LIMIT
from dialog.knowledge.views import Scope, View, checked_facet, only
from dialog.protocols import Embedder
from dialog.settings import KnowledgeSection
from dialog.text import detect_language
from dialog.values import Document, Legs, Message, Passage, SearchResult

_SPARE = 10
"""Passages looked at beyond those asked for: a newer answer may stand just below."""


def open_knowledge(
    path: Path,
    section: KnowledgeSection,
    *,
    embedder: Embedder | None = None,
    clock: Callable[[], datetime.date] = datetime.date.today,
    exact_limit: int = EXACT_LIMIT,
) -> KnowledgeBase:
    """Open the index at `path` for searching, as the section's tenant; the embedder loads when asked.

    Args:
        path: the index's own folder.
        section: how to search.
        embedder: instead of the one the section names.
        clock: says what day it is, for documents that are valid from or until one.
        exact_limit: chunks from which the dense leg is approximate.

    Raises:
        KnowledgeError: there is no index, it is damaged, or it was made with another embedder.
    """
    store = OpenStore(
        path, section.chroma, embedder or open_embedder(section.embedder), exact_limit=exact_limit
    )
    return KnowledgeBase(store, section, clock=clock)


class KnowledgeBase:
    """A `dialog.protocols.Retriever` over one index directory, in the eyes of one tenant or of none."""

    def __init__(
        self, store: OpenStore, section: KnowledgeSection, *, clock: Callable[[], datetime.date]
    ) -> None:
        self.path = store.path
        self._open = store
        self._embedder = store.embedder
        self._section = section
        self._clock = clock
        self._tenant = checked_facet("tenant", section.tenant, tenant_name)
        self._locale = checked_facet("locale", section.locale, locale_tag)
        self._published()

    def for_tenant(self, tenant: str | None) -> KnowledgeBase:
        """The same index as another tenant sees it, sharing everything that is open; cheap.

        None sees only what belongs to nobody. Closing one closes them all.
        """
        section = self._section.model_copy(update={"tenant": tenant})
        return KnowledgeBase(self._open, section, clock=self._clock)

    def __enter__(self) -> KnowledgeBase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    @property
    def tenant(self) -> str | None:
        """Whose documents are seen beside everybody's."""
        return self._tenant

    @property
    def fingerprint(self) -> str:
        """Hash of everything the published index holds and was made with."""
        return self._published().fingerprint

    @property
    def manifest(self) -> Manifest:
        return self._published().manifest

    @property
    def counts(self) -> tuple[int, int]:
        """Published documents and chunks, of all tenants."""
        return self._published().catalog.counts()

    def document(self, passage_id: str) -> Document | None:
        """The whole document a passage was cut from: its spans index this text.

        None where the passage is not to be seen; where others of the same
        document are not, their text is blank.
        """
        store = self._published()
        with store.catalog.snapshot():
            generation = store.generation()
            view = generation.view(self._scope(None))
            numbers = list(store.catalog.numbers_by_id([passage_id]).values())
            if not numbers or not generation.columns.seen(numbers, view)[0]:
                return None
            key = store.catalog.chunks(numbers)[0].document
            document, chunks = store.catalog.document(key), store.catalog.numbers_of(key)
            seen = generation.columns.seen([number for number, _, _ in chunks], view)
        if document is None or seen.all():
            return document
        spans = [(start, end) for (_, start, end), is_seen in zip(chunks, seen, strict=True) if is_seen]
        return document.model_copy(update={"text": only(document.text, spans), "metadata": {}})

    def search(
        self,
        query: str,
        *,
        top_k: int,
        history: Sequence[Message] = (),
        where: dict[str, Any] | None = None,
    ) -> SearchResult:
        """The best passages, best first; see `dialog.protocols.Retriever`.

        `where` keeps chunks whose metadata holds each given value, or one of a list of values;
        it narrows what the tenant may see and never widens it.
        """
        if not query.strip() or top_k < 1:
            return SearchResult(query=query, abstain=True, confidence=0.0)
        plan = plan_query(query, history)
        found = self._look(plan, top_k=top_k, where=where)
        language = detect_language(query)
        sure = confidence(found.evidence, language=language, embedder=self._embedder.name)
        threshold = self._section.min_confidence
        return SearchResult(
            query=query,
            rewritten=plan.rewritten,
            abstain=not found.passages or sure < (THRESHOLDS[language] if threshold is None else threshold),
            confidence=sure,
            passages=found.passages,
        )

    def evidence(self, query: str, *, top_k: int, history: Sequence[Message] = ()) -> Evidence | None:
        """What speaks for the passages of such a search, for calibration; None where nothing is found."""
        return self._look(plan_query(query, history), top_k=top_k, where=None).evidence

    def _look(self, plan: QueryPlan, *, top_k: int, where: Mapping[str, Any] | None) -> _Look:
        store = self._published()
        with store.catalog.snapshot():
            generation = store.generation()
            view = generation.view(self._scope(where))
            if not view.num_chunks:
                return _Look((), None)
            vectors = self._embedder.embed_queries([plan.query, *filter(None, [plan.context])])
            limit = max(self._section.candidates, top_k)
            legs = _legs(generation, plan, vectors, limit=limit, view=view)
            around = legs[1] if len(legs) > 1 else None
            numbers = (
                {number for leg in legs for number, _ in (*leg.lexical, *leg.dense)} if around else set()
            )
            ranked = rank(
                legs[0],
                around,
                store.catalog.units(sorted(numbers)),
                context_weight=plan.context_weight,
                k=self._section.rrf_k,
            )
            ranked = _newest_first(store, generation, plan, ranked, view=view, top_k=top_k)[:top_k]
            rows = store.catalog.chunks([one.number for one in ranked])
            return _Look(
                passages=tuple(
                    _passage(row, score=one.score, legs=legs) for row, one in zip(rows, ranked, strict=True)
                ),
                evidence=weigh(
                    plan,
                    rows,
                    legs,
                    rarity=term_rarity(
                        Frequencies(generation.lexicon, view), plan.query, num_chunks=view.num_chunks
                    ),
                    background=float(generation.centre(view) @ vectors[0]),
                ),
            )

    def _scope(self, where: Mapping[str, Any] | None) -> Scope:
        return Scope(today=self._clock(), tenant=self._tenant, locale=self._locale).among(where)

    def _published(self) -> Store:
        return self._open.published()


@dataclass(frozen=True)
class _Look:
    passages: tuple[Passage, ...]
    evidence: Evidence | None


def _legs(
    generation: Generation, plan: QueryPlan, vectors: np.ndarray, *, limit: int, view: View
) -> list[Hits]:
    """What the turn alone found, then what it found in its context."""
    return [
        Hits(
            lexical=generation.lexicon.search(text, limit=limit, view=view),
            dense=generation.nearest.nearest(vector, limit=limit, view=view),
        )
        for text, vector in zip([plan.query, *filter(None, [plan.context_terms])], vectors, strict=True)
    ]


def _newest_first(
    store: Store, generation: Generation, plan: QueryPlan, ranked: list[Ranked], *, view: View, top_k: int
) -> list[Ranked]:
    """The first of a ranking, and some to spare, the newer of two that tie first."""
    looked_at = ranked[: top_k + _SPARE]
    days = generation.updated([one.number for one in looked_at])
    if sum(day > 0 for day in days) < 2:
        return looked_at
    asked = plan.context_terms if plan.leans and plan.context_terms else plan.query
    rarity = term_rarity(Frequencies(generation.lexicon, view), asked, num_chunks=view.num_chunks)
    rows = store.catalog.chunks([one.number for one in looked_at])
    dated = [
        Dated(one.score, subject(row), day, coverage(rarity, f"{row.heading}\n{row.text}"))
        for one, row, day in zip(looked_at, rows, days, strict=True)
    ]
    # A place keeps its score, so that scores still fall.
    return [
        Ranked(number=looked_at[place].number, score=one.score)
        for place, one in zip(newest_first(dated), looked_at, strict=True)
    ]


def _passage(row: ChunkRow, *, score: float, legs: Sequence[Hits]) -> Passage:
    return Passage(
        id=row.id,
        text=row.text,
        source=row.source,
        title=row.heading,
        score=score,
        char_start=row.char_start,
        char_end=row.char_end,
        legs=Legs(
            lexical=_best_rank(row.number, [leg.lexical for leg in legs]),
            dense=_best_rank(row.number, [leg.dense for leg in legs]),
        ),
        answer=row.answer,
        language=row.language,
        metadata=dict(row.metadata),
    )


def _best_rank(number: int, rankings: Sequence[Found]) -> int | None:
    ranks = [rank for found in rankings for rank, (other, _) in enumerate(found, 1) if other == number]
    return min(ranks, default=None)
