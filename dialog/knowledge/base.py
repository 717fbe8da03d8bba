"""An index to search in: query in context, two legs, fusion, and the admission that nothing fits.

    knowledge = open_knowledge(Path("kb"), KnowledgeSection())
    result = knowledge.search("How long is the warranty?", top_k=3)
    if not result.abstain:
        print(result.passages[0].text, result.passages[0].source)

Safe to share between threads. A search sees one published state of the index
from beginning to end, and the next search sees what was published since.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dialog.errors import KnowledgeError
from dialog.knowledge.abstain import Evidence
from dialog.knowledge.calibration import (
    CalibrationFile,
    Standing,
    confidence_of,
    read_calibration,
    standing,
)
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.evidence import term_rarity, weigh
from dialog.knowledge.legs import find, spelt
from dialog.knowledge.manifest import Manifest, read_manifest
from dialog.knowledge.passages import passage_of
from dialog.knowledge.query import QueryPlan, plan_query
from dialog.knowledge.ranking import rank
from dialog.knowledge.rerank import RERANKED, open_reranker, reordered
from dialog.knowledge.vectors import EXACT_LIMIT, ChromaCollection, ChromaVectors, ExactVectors, Nearest
from dialog.protocols import Embedder
from dialog.settings import KnowledgeSection
from dialog.text import detect_language
from dialog.values import Document, Message, Passage, SearchResult


def open_knowledge(
    path: Path, section: KnowledgeSection, *, embedder: Embedder | None = None
) -> KnowledgeBase:
    """Open the index at `path` for searching; the embedder loads at the first search.

    Raises:
        KnowledgeError: there is no index, it is damaged, or it was made with another embedder.
    """
    return KnowledgeBase(path, section, embedder or open_embedder(section.embedder))


class KnowledgeBase:
    """A `dialog.protocols.Retriever` over one index directory."""

    def __init__(self, path: Path, section: KnowledgeSection, embedder: Embedder) -> None:
        self.path = path
        self._section = section
        self._embedder = embedder
        self._reranker = open_reranker(section.reranker) if section.reranker else None
        self._lock = threading.Lock()
        self._store: _Store | None = None
        self._published()
        self._calibration = CalibrationFile(path, embedder.fingerprint)

    def __enter__(self) -> KnowledgeBase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            if self._store:
                self._store.close()
            self._store = None

    @property
    def fingerprint(self) -> str:
        """Hash of everything the published index holds and was made with."""
        return self._published().fingerprint

    @property
    def manifest(self) -> Manifest:
        return self._published().manifest

    @property
    def counts(self) -> tuple[int, int]:
        """Published documents and chunks."""
        return self._published().catalog.counts()

    def calibrated(self) -> Standing | None:
        """The index's own confidence curves and whether they still fit it; None if it has none."""
        found, store = read_calibration(self.path), self._published()
        if found is None:
            return None
        embedder = self._embedder.fingerprint
        return standing(found, chunk_ids=store.catalog.chunk_ids(), embedder_fingerprint=embedder)

    def document(self, passage_id: str) -> Document | None:
        """The whole document a passage was cut from: its spans index this text."""
        catalog = self._published().catalog
        rows = catalog.chunks(list(catalog.numbers_by_id([passage_id]).values()))
        return catalog.document(rows[0].document) if rows else None

    def search(
        self,
        query: str,
        *,
        top_k: int,
        history: Sequence[Message] = (),
        where: dict[str, Any] | None = None,
    ) -> SearchResult:
        """The best passages, best first; see `dialog.protocols.Retriever`.

        `where` keeps chunks whose metadata holds each given value, or one of a list of values.
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
            among = store.catalog.numbers_where(where) if where else None
            plan = spelt(plan, store.catalog, among=among)
            vectors = self._embedder.embed_queries(plan.meanings)
            limit = max(self._section.candidates, top_k) * (4 if hidden else 1)
            legs = find(store.catalog, store.nearest(), plan, vectors, limit=limit, among=among)
            numbers = {number for leg in legs for number, _ in (*leg.lexical, *leg.dense)}
            units = store.catalog.units(sorted(numbers))
            if hidden:
                legs = [leg.without(hidden, units) for leg in legs]
            ranked = rank(
                legs[0],
                legs[1] if len(legs) > 1 else None,
                units,
                context_weight=plan.context_weight,
                k=self._section.rrf_k,
            )[: max(top_k, RERANKED) if self._reranker else top_k]
            rows = store.catalog.chunks([one.number for one in ranked])
            if self._reranker:
                ranked, rows = reordered(self._reranker, plan.rewritten or plan.query, ranked, rows)
                ranked, rows = ranked[:top_k], rows[:top_k]
            return _Look(
                rewritten=plan.rewritten,
                passages=tuple(
                    passage_of(row, score=one.score, legs=legs) for row, one in zip(rows, ranked, strict=True)
                ),
                evidence=weigh(
                    plan,
                    rows,
                    legs,
                    rarity=term_rarity(store.catalog, plan.meant, num_chunks=store.num_chunks()),
                    background=float(store.centre() @ vectors[0]),
                ),
            )

    def _published(self) -> _Store:
        """The store the manifest names, opened again after a rebuild."""
        with self._lock:
            manifest = read_manifest(self.path)
            if manifest is None:
                raise KnowledgeError(
                    f"there is no knowledge index at {str(self.path)!r}; "
                    "make one with: instructrec index PATH..."
                )
            if self._store is None or self._store.manifest != manifest:
                manifest.check_readable(self.path, self._embedder)
                if self._store:
                    self._store.close()
                self._store = _Store(self.path / manifest.store, manifest)
            return self._store


class _Store:
    """One opened store; what is kept in memory is made again when the generation moves."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        file = folder / "knowledge.db"
        if not file.is_file():
            raise KnowledgeError(
                f"the knowledge index {str(folder.parent)!r} has lost {file.name!r}; "
                "make it again with: instructrec index PATH... --rebuild"
            )
        self.manifest = manifest
        self.catalog = Catalog(file, read_only=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._nearest: tuple[int, Nearest] | None = None
        self._num_chunks: tuple[int, int] | None = None
        self._centre: tuple[Nearest, np.ndarray] | None = None
        self._fingerprint: tuple[int, str] | None = None
        self._collection: ChromaCollection | None = None

    def close(self) -> None:
        self.catalog.close()
        if self._collection:
            self._collection.close()

    def nearest(self) -> Nearest:
        with self._lock:
            generation = self.catalog.generation()
            if self._nearest is None or self._nearest[0] != generation:
                self._nearest = (generation, self._open_vectors())
            return self._nearest[1]

    def centre(self) -> np.ndarray:
        """The mean of all vectors of the published generation."""
        nearest = self.nearest()
        with self._lock:
            if self._centre is None or self._centre[0] is not nearest:
                self._centre = (nearest, nearest.centre())
            return self._centre[1]

    def num_chunks(self) -> int:
        """Of the published generation; counting them takes as long as a small search."""
        with self._lock:
            generation = self.catalog.generation()
            if self._num_chunks is None or self._num_chunks[0] != generation:
                self._num_chunks = (generation, self.catalog.counts()[1])
            return self._num_chunks[1]

    @property
    def fingerprint(self) -> str:
        with self._lock:
            generation = self.catalog.generation()
            if self._fingerprint is None or self._fingerprint[0] != generation:
                made_with = self.manifest.model_copy(update={"store": ""}).model_dump_json()
                digest = hashlib.sha256("\n".join([made_with, *self.catalog.chunk_ids()]).encode())
                self._fingerprint = (generation, digest.hexdigest()[:16])
            return self._fingerprint[1]

    def _open_vectors(self) -> Nearest:
        dimension = self.manifest.dimension
        if self.catalog.counts()[1] <= EXACT_LIMIT:
            return ExactVectors.load(self.catalog, dimension=dimension)
        if self._collection:
            self._collection.close()
        self._collection = ChromaCollection(self._folder / "chroma")
        return ChromaVectors(self._collection, self.catalog, dimension)


@dataclass(frozen=True)
class _Look:
    rewritten: str | None
    passages: tuple[Passage, ...]
    evidence: Evidence | None
