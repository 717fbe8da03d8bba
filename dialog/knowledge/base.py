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
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialog.knowledge.abstain import Evidence
from dialog.knowledge.calibration import (
    CalibrationFile,
    Standing,
    confidence_of,
    read_calibration,
    standing,
)
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.evidence import term_rarity, weigh
from dialog.knowledge.facets import locale_tag, tenant_name
from dialog.knowledge.legs import begin, find, fresh_first, spelt
from dialog.knowledge.manifest import Manifest
from dialog.knowledge.passages import passage_of
from dialog.knowledge.published import Frequencies, OpenStore, Store
from dialog.knowledge.query import QueryPlan, plan_query
from dialog.knowledge.ranking import COSINE_UNITS, rank
from dialog.knowledge.rerank import RERANKED, open_reranker, reordered
from dialog.knowledge.vectors import EXACT_LIMIT
from dialog.knowledge.views import Scope, checked_facet, only
from dialog.protocols import Embedder, LanguageModel, Reranker
from dialog.settings import KnowledgeSection
from dialog.text import detect_language
from dialog.values import Document, Message, Passage, SearchResult


def open_knowledge(
    path: Path,
    section: KnowledgeSection,
    *,
    embedder: Embedder | None = None,
    clock: Callable[[], datetime.date] = datetime.date.today,
    exact_limit: int = EXACT_LIMIT,
    model: Callable[[], LanguageModel] | None = None,
) -> KnowledgeBase:
    """Open the index at `path` for searching, as the section's tenant; the embedder loads when asked.

    Args:
        path: the index's own folder.
        section: how to search.
        embedder: instead of the one the section names.
        clock: says what day it is, for documents that are valid from or until one.
        exact_limit: chunks from which the dense leg is approximate.
        model: gives the language model, where `knowledge.reranker` asks it.

    Raises:
        ConfigError: no such embedder or reranker.
        KnowledgeError: there is no index, it is damaged, or it was made with another embedder.
    """
    store = OpenStore(
        path, section.chroma, embedder or open_embedder(section.embedder), exact_limit=exact_limit
    )
    reranker = open_reranker(section.reranker, model=model) if section.reranker else None
    return KnowledgeBase(store, section, clock=clock, reranker=reranker)


class KnowledgeBase:
    """A `dialog.protocols.Retriever` over one index directory, in the eyes of one tenant or of none."""

    def __init__(
        self,
        store: OpenStore,
        section: KnowledgeSection,
        *,
        clock: Callable[[], datetime.date],
        reranker: Reranker | None = None,
    ) -> None:
        self.path = store.path
        self._open = store
        self._embedder = store.embedder
        self._section = section
        self._clock = clock
        self._tenant = checked_facet("tenant", section.tenant, tenant_name)
        self._locale = checked_facet("locale", section.locale, locale_tag)
        self._reranker = reranker
        self._calibration = CalibrationFile(self.path, self._embedder.fingerprint)
        self._published()

    def for_tenant(self, tenant: str | None) -> KnowledgeBase:
        """The same index as another tenant sees it, sharing everything that is open; cheap.

        None sees only what belongs to nobody. Closing one closes them all.
        """
        section = self._section.model_copy(update={"tenant": tenant})
        return KnowledgeBase(self._open, section, clock=self._clock, reranker=self._reranker)

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
        """Hash of everything the published index holds and was made with, and of its calibration."""
        published, fitted = self._published().fingerprint, self._calibration.current()
        if fitted is None:
            return published
        return hashlib.sha256(f"{published}\n{fitted.model_dump_json()}".encode()).hexdigest()[:16]

    @property
    def manifest(self) -> Manifest:
        return self._published().manifest

    @property
    def counts(self) -> tuple[int, int]:
        """Published documents and chunks, of all tenants."""
        return self._published().catalog.counts()

    def calibrated(self) -> Standing | None:
        """The index's own confidence curves and whether they still fit it; None if it has none."""
        found, store = read_calibration(self.path), self._published()
        if found is None:
            return None
        embedder = self._embedder.fingerprint
        return standing(found, chunk_ids=store.catalog.chunk_ids(), embedder_fingerprint=embedder)

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
        sure, fitted = confidence_of(
            found.evidence,
            language=detect_language(query),
            embedder=self._embedder.name,
            calibration=self._calibration.current(),
        )
        threshold = self._section.min_confidence
        return SearchResult(
            query=query,
            rewritten=found.rewritten,
            abstain=not found.passages or sure < (fitted if threshold is None else threshold),
            confidence=sure,
            passages=found.passages,
        )

    def evidence(
        self,
        query: str,
        *,
        top_k: int,
        history: Sequence[Message] = (),
        hidden: frozenset[str] = frozenset(),
    ) -> Evidence | None:
        """What speaks for the passages of such a search, for calibration; None where nothing is found.

        `hidden` are documents (of `Catalog.units`) that the search does as if without.
        """
        return self._look(plan_query(query, history), top_k=top_k, where=None, hidden=hidden).evidence

    def visible(self, numbers: Sequence[int]) -> list[int]:
        """Those of the chunks that a search may find."""
        store = self._published()
        with store.catalog.snapshot():
            generation = store.generation()
            seen = generation.columns.seen(numbers, generation.view(self._scope(None)))
        return [number for number, is_seen in zip(numbers, seen, strict=True) if is_seen]

    def _look(
        self,
        plan: QueryPlan,
        *,
        top_k: int,
        where: Mapping[str, Any] | None,
        hidden: frozenset[str] = frozenset(),
    ) -> _Look:
        store = self._published()
        with store.catalog.snapshot():
            generation = store.generation()
            view = generation.view(self._scope(where))
            if not view.num_chunks:
                return _Look(plan.rewritten, (), None)
            limit = max(self._section.candidates, top_k) * (4 if hidden else 1)
            vectors = self._embedder.embed_queries(plan.meanings)
            dense = begin(generation, vectors, limit=limit, view=view)
            # Few turns are misspelt: the graph is walked while that is looked into, for those once more.
            written, plan = plan, spelt(plan, store.catalog, generation, view=view)
            if plan is not written:
                vectors = self._embedder.embed_queries(plan.meanings)
                dense = begin(generation, vectors, limit=limit, view=view)
            legs = find(generation, plan, dense, limit=limit, view=view)
            around = legs[1] if len(legs) > 1 else None
            is_by_document = around is not None or bool(hidden)
            numbers = {number for leg in legs for number, _ in (*leg.lexical, *leg.dense)}
            units = store.catalog.units(sorted(numbers)) if is_by_document else {}
            if hidden:
                legs = [leg.without(hidden, units) for leg in legs]
                around = legs[1] if around else None
            ranked = rank(
                legs[0],
                around,
                units,
                context_weight=plan.context_weight,
                k=self._section.rrf_k,
                cosine_unit=COSINE_UNITS.get(self._embedder.name),
            )
            num_ranked = max(top_k, RERANKED) if self._reranker else top_k
            ranked = fresh_first(ranked, plan, store.catalog, generation, view=view, top_k=num_ranked)
            rows = store.catalog.chunks([one.number for one in ranked])
            if self._reranker:
                ranked, rows = reordered(self._reranker, plan.rewritten or plan.query, ranked, rows)
                ranked, rows = ranked[:top_k], rows[:top_k]
            frequencies = Frequencies(generation.lexicon, view)
            return _Look(
                rewritten=plan.rewritten,
                passages=tuple(
                    passage_of(row, score=one.score, legs=legs) for row, one in zip(rows, ranked, strict=True)
                ),
                evidence=weigh(
                    plan,
                    rows,
                    legs,
                    rarity=term_rarity(frequencies, plan.meant, num_chunks=view.num_chunks),
                    held=generation.lexicon.held,
                    background=float(generation.centre(view) @ vectors[0]),
                ),
            )

    def _scope(self, where: Mapping[str, Any] | None) -> Scope:
        return Scope(today=self._clock(), tenant=self._tenant, locale=self._locale).among(where)

    def _published(self) -> Store:
        return self._open.published()


@dataclass(frozen=True)
class _Look:
    rewritten: str | None
    passages: tuple[Passage, ...]
    evidence: Evidence | None
