"""The dense leg: exact search in memory while that is fast, a Chroma collection beyond.

What a search may see is decided before the nearest are taken, never after: a
narrow view is searched exactly, a wide one in the collection, asked for more
until enough of what it finds is inside.

    nearest = ExactVectors.load(catalog, columns, dimension=384)
    nearest.nearest(vector, limit=50, view=view)
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import Protocol

import numpy as np

from dialog.errors import KnowledgeError
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.lexical import top
from dialog.knowledge.views import Columns, View

EXACT_LIMIT = 20_000
"""Up to this many chunks a matrix product is as fast as Chroma's graph, and never misses."""

_KEPT_ROWS = 4 * EXACT_LIMIT
"""Of the vectors of narrow views, in memory: 120 MB of 384 dimensions."""
_FIRST_SHARE = 1.5
_MAX_ASKED = 4096
"""Beyond, the graph is slower than reading every vector of the view."""
_BLOCK = 8192


Search = Callable[[], list[tuple[int, float]]]


class Nearest(Protocol):
    """Finds the chunks whose vectors are nearest to a query's."""

    def nearest(self, query: np.ndarray, *, limit: int, view: View) -> list[tuple[int, float]]:
        """(chunk number, cosine), best first, within the view."""
        ...

    def begin(self, query: np.ndarray, *, limit: int, view: View) -> Search:
        """The same begun: what is returned waits for the answer; to be called by the same thread."""
        ...

    def centre(self, view: View) -> np.ndarray:
        """The mean of the view's vectors; zeros where there are none."""
        ...


class Collection(Protocol):
    """Ids and vectors, and which of them are nearest: `dialog.knowledge.chroma` has two."""

    def nearest(self, query: np.ndarray, *, limit: int) -> list[tuple[str, float]]:
        """(id, cosine), best first."""
        ...


@dataclass(frozen=True)
class ExactVectors:
    """Vectors in one matrix, rows in the order of `numbers` (ascending)."""

    numbers: np.ndarray
    matrix: np.ndarray

    @classmethod
    def load(cls, catalog: Catalog, *, dimension: int, numbers: np.ndarray | None = None) -> ExactVectors:
        """All vectors, or those of the chunks with these numbers."""
        rows = list(catalog.vectors_of(None if numbers is None else numbers.tolist()))
        matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32)
        if matrix.size != len(rows) * dimension:
            raise KnowledgeError(
                f"{str(catalog.path)!r} holds vectors that are not {dimension} wide; "
                "make it again with: instructrec index PATH... --rebuild"
            )
        found = np.array([row[0] for row in rows], dtype=np.int64)
        return cls(numbers=found, matrix=matrix.reshape(len(rows), dimension))

    def nearest(self, query: np.ndarray, *, limit: int, view: View) -> list[tuple[int, float]]:
        cosines = self.matrix @ query
        numbers, rows = self.numbers, view.rows()
        if rows is not None:
            cosines, numbers = cosines[rows], numbers[rows]
        return [(int(numbers[row]), float(cosines[row])) for row in top(cosines, limit)]

    def begin(self, query: np.ndarray, *, limit: int, view: View) -> Search:
        return partial(self.nearest, query, limit=limit, view=view)

    def centre(self, view: View) -> np.ndarray:
        rows = view.rows()
        matrix = self.matrix if rows is None else self.matrix[rows]
        mean: np.ndarray = matrix.sum(axis=0) / max(1, len(matrix))
        return mean


class GraphVectors:
    """Approximate search in a collection of more than `exact_limit` chunks; in a narrow view, exact.

    Thread-safe; every call stands in a snapshot of the generation of `columns`.
    """

    def __init__(
        self,
        collection: Collection,
        catalog: Catalog,
        columns: Columns,
        *,
        dimension: int,
        exact_limit: int = EXACT_LIMIT,
    ) -> None:
        self._collection = collection
        self._catalog = catalog
        self._columns = columns
        self._dimension = dimension
        self._exact_limit = exact_limit
        self._narrow: OrderedDict[View, ExactVectors] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(thread_name_prefix="graph")

    def nearest(self, query: np.ndarray, *, limit: int, view: View) -> list[tuple[int, float]]:
        return self.begin(query, limit=limit, view=view)()

    def begin(self, query: np.ndarray, *, limit: int, view: View) -> Search:
        """In a wide view the graph is walked in another thread meanwhile; Chroma lets this one go on."""
        if view.num_chunks <= self._exact_limit:
            return partial(self._exact(view).nearest, query, limit=limit, view=_ALL)
        total = len(self._columns.numbers)
        asked = limit if view.mask is None else int(_FIRST_SHARE * limit * total / view.num_chunks)
        if asked > max(limit, _MAX_ASKED):
            return partial(self._scan, query, limit=limit, view=view)
        first = self._pool.submit(self._collection.nearest, query, limit=min(asked, total))
        return partial(self._enough, first, query, asked=asked, limit=limit, view=view)

    def _enough(
        self, first: Future[list[tuple[str, float]]], query: np.ndarray, *, asked: int, limit: int, view: View
    ) -> list[tuple[int, float]]:
        """Of more and more that the graph finds, those in the view; where too few are, of every vector."""
        answer = first.result()
        while len(found := self._seen(answer, view)) < min(limit, view.num_chunks):
            asked *= 4
            if asked > max(limit, _MAX_ASKED):
                return self._scan(query, limit=limit, view=view)
            answer = self._collection.nearest(query, limit=min(asked, len(self._columns.numbers)))
        return found[:limit]

    def centre(self, view: View) -> np.ndarray:
        if view.num_chunks <= self._exact_limit:
            return self._exact(view).centre(_ALL)
        total = np.zeros(self._dimension, dtype=np.float32)
        for _, matrix in self._blocks(view):
            total += matrix.sum(axis=0)
        return total / view.num_chunks

    @cached_property
    def _ids(self) -> tuple[np.ndarray, np.ndarray]:
        """Every chunk's id as bytes, in order, and its number."""
        rows = self._catalog.ids()
        ids = np.array([chunk_id.encode() for chunk_id, _ in rows], dtype="S")
        return ids, np.array([number for _, number in rows])

    def _seen(self, found: Sequence[tuple[str, float]], view: View) -> list[tuple[int, float]]:
        """What is published and in the view; the collection may hold chunks that are not published yet."""
        ids, numbers = self._ids
        wanted = np.array([chunk_id.encode() for chunk_id, _ in found], dtype="S")
        places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        pairs = [
            (number, cosine)
            for number, is_known, (_, cosine) in zip(
                numbers[places].tolist(), (ids[places] == wanted).tolist(), found, strict=True
            )
            if is_known
        ]
        if view.mask is None or not pairs:
            return pairs
        inside = view.mask[self._columns.rows_of(np.array([number for number, _ in pairs]))]
        return [pair for pair, is_inside in zip(pairs, inside, strict=True) if is_inside]

    def _scan(self, query: np.ndarray, *, limit: int, view: View) -> list[tuple[int, float]]:
        """Exact over every vector of the view, for where the graph finds too little inside."""
        best: list[tuple[int, float]] = []
        for numbers, matrix in self._blocks(view):
            cosines = matrix @ query
            best += [(int(numbers[row]), float(cosines[row])) for row in top(cosines, limit)]
            best = sorted(best, key=lambda pair: -pair[1])[:limit]
        return best

    def _blocks(self, view: View) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Numbers and vectors of the view; a wide one is most of all there are, so all are read."""
        rows, first = self._catalog.vectors_of(None), 0
        while block := list(islice(rows, _BLOCK)):
            matrix = np.frombuffer(b"".join(vector for _, vector in block), dtype=np.float32)
            matrix = matrix.reshape(len(block), self._dimension)
            numbers = self._columns.numbers[first : first + len(block)]
            mask = slice(None) if view.mask is None else view.mask[first : first + len(block)]
            yield numbers[mask], matrix[mask]
            first += len(block)

    def _exact(self, view: View) -> ExactVectors:
        with self._lock:
            if (kept := self._narrow.get(view)) is not None:
                self._narrow.move_to_end(view)
                return kept
        numbers = self._columns.numbers[view.rows()] if view.mask is not None else self._columns.numbers
        vectors = ExactVectors.load(self._catalog, dimension=self._dimension, numbers=numbers)
        with self._lock:
            self._narrow[view] = vectors
            while len(self._narrow) > 1 and sum(len(v.numbers) for v in self._narrow.values()) > _KEPT_ROWS:
                self._narrow.popitem(last=False)
        return vectors


_ALL = View(mask=None, num_chunks=0, mean_terms=0.0)
"""Of a matrix that holds nothing but what is seen."""
