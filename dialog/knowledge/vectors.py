"""The dense leg: exact search in memory while that is fast, a Chroma collection beyond.

The SQLite catalog is the truth; the collection holds ids and vectors only and
is reconciled with it when a writer opens the index. Cosine is explicit,
telemetry is off, embeddings are always passed in, so Chroma never fetches an
embedder of its own.

    nearest = ExactVectors.load(catalog, dimension=384).nearest(vector, limit=50)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from dialog.errors import KnowledgeError
from dialog.knowledge.catalog import Catalog

EXACT_LIMIT = 20_000
"""Up to this many chunks a matrix product is as fast as Chroma's graph, and never misses."""

_COLLECTION = "chunks"
_BATCH = 2000


class Nearest(Protocol):
    """Finds the chunks whose vectors are nearest to a query's."""

    def nearest(
        self, query: np.ndarray, *, limit: int, among: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """(chunk number, cosine), best first; `among` restricts to these numbers."""
        ...

    def centre(self) -> np.ndarray:
        """The mean of all vectors; zeros where there are none."""
        ...


@dataclass(frozen=True)
class ExactVectors:
    """All vectors in one matrix, rows in the order of `numbers` (ascending)."""

    numbers: np.ndarray
    matrix: np.ndarray

    @classmethod
    def load(cls, catalog: Catalog, *, dimension: int) -> ExactVectors:
        rows = list(catalog.vectors())
        matrix = np.frombuffer(b"".join(row[2] for row in rows), dtype=np.float32)
        if matrix.size != len(rows) * dimension:
            raise KnowledgeError(
                f"{str(catalog.path)!r} holds vectors that are not {dimension} wide; "
                "make it again with: instructrec index PATH... --rebuild"
            )
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        return cls(numbers=numbers, matrix=matrix.reshape(len(rows), dimension))

    def nearest(
        self, query: np.ndarray, *, limit: int, among: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        numbers, matrix = self.numbers, self.matrix
        if among is not None:
            rows = np.flatnonzero(np.isin(numbers, np.asarray(among, dtype=np.int64)))
            numbers, matrix = numbers[rows], matrix[rows]
        if not len(numbers):
            return []
        cosines = matrix @ query
        best = _top(cosines, limit)
        return [(int(numbers[row]), float(cosines[row])) for row in best]

    def centre(self) -> np.ndarray:
        mean: np.ndarray = self.matrix.sum(axis=0) / max(1, len(self.matrix))
        return mean


@dataclass(frozen=True)
class ChromaVectors:
    """Approximate search in the collection; a narrow filter is searched exactly instead."""

    collection: ChromaCollection
    catalog: Catalog
    dimension: int

    def nearest(
        self, query: np.ndarray, *, limit: int, among: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        if among is not None:
            return ExactVectors.load(self.catalog, dimension=self.dimension).nearest(
                query, limit=limit, among=among
            )
        found = self.collection.nearest(query, limit=limit)
        numbers = self.catalog.numbers_by_id([chunk_id for chunk_id, _ in found])
        return [(numbers[chunk_id], cosine) for chunk_id, cosine in found if chunk_id in numbers]

    def centre(self) -> np.ndarray:
        total, count = np.zeros(self.dimension, dtype=np.float32), 0
        for _, _, vector in self.catalog.vectors():
            total += np.frombuffer(vector, dtype=np.float32)
            count += 1
        return total / max(1, count)


class ChromaCollection:
    """The one collection of a `PersistentClient`; every failure is a KnowledgeError."""

    def __init__(self, path: Path) -> None:
        import chromadb
        from chromadb.api.shared_system_client import SharedSystemClient
        from chromadb.config import Settings

        self._path = path
        try:
            self._client = chromadb.PersistentClient(
                path=str(path), settings=Settings(anonymized_telemetry=False)
            )
            self._collection: Any = self._client.get_or_create_collection(
                _COLLECTION, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
        except Exception as error:  # Chroma raises bare exceptions from its engine
            # It also keeps the failed engine for this path, and would hand it out for ever.
            SharedSystemClient._identifier_to_system.pop(str(path), None)
            raise self._failed("open", error) from error

    def close(self) -> None:
        self._client.close()

    def ids(self) -> set[str]:
        """Every id in the collection."""
        found: set[str] = set()
        try:
            while page := self._collection.get(include=[], limit=10_000, offset=len(found))["ids"]:
                found.update(page)
        except Exception as error:
            raise self._failed("read", error) from error
        return found

    def count(self) -> int:
        try:
            return int(self._collection.count())
        except Exception as error:
            raise self._failed("read", error) from error

    def put(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        """Add or overwrite."""
        try:
            for i in range(0, len(ids), _BATCH):
                self._collection.upsert(ids=list(ids[i : i + _BATCH]), embeddings=vectors[i : i + _BATCH])
        except Exception as error:
            raise self._failed("write", error) from error

    def delete(self, ids: Iterable[str]) -> None:
        """Forget ids; absent ones are ignored."""
        gone = list(ids)
        try:
            for i in range(0, len(gone), _BATCH):
                self._collection.delete(ids=gone[i : i + _BATCH])
        except Exception as error:
            raise self._failed("write", error) from error

    def nearest(self, query: np.ndarray, *, limit: int) -> list[tuple[str, float]]:
        """(id, cosine), best first."""
        try:
            answer = self._collection.query(query_embeddings=[query], n_results=limit, include=["distances"])
        except Exception as error:
            raise self._failed("read", error) from error
        pairs = zip(answer["ids"][0], answer["distances"][0], strict=True)
        return [(chunk_id, 1.0 - float(distance)) for chunk_id, distance in pairs]

    def reconcile(self, catalog: Catalog) -> None:
        """Make the collection hold exactly the catalog's chunks."""
        present = self.ids()
        wanted = set(catalog.chunk_ids())
        self.delete(sorted(present - wanted))
        missing = [(chunk_id, vector) for _, chunk_id, vector in catalog.vectors() if chunk_id not in present]
        for i in range(0, len(missing), _BATCH):
            batch = missing[i : i + _BATCH]
            vectors = np.stack([np.frombuffer(vector, dtype=np.float32) for _, vector in batch])
            self.put([chunk_id for chunk_id, _ in batch], vectors)

    def _failed(self, what: str, error: Exception) -> KnowledgeError:
        return KnowledgeError(
            f"cannot {what} the Chroma collection {str(self._path)!r}: {error}; "
            "it is made again from the catalog by: instructrec index PATH..."
        )


def _top(scores: np.ndarray, limit: int) -> np.ndarray:
    """Indices of the highest scores, best first; ties by position."""
    if len(scores) > limit:
        rows = np.argpartition(-scores, limit - 1)[:limit]
        rows.sort()
    else:
        rows = np.arange(len(scores))
    return rows[np.argsort(-scores[rows], kind="stable")]
