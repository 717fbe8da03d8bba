"""The lexical leg: BM25 over pre-segmented terms, within what a search may see.

SQLite FTS5 keeps which term stands where; a term's postings are fetched when
it is first asked for and kept as arrays, so a question costs a few array
operations a term. FTS5's own `bm25()` visits every match one by one (at
100,000 chunks 100 to 200 ms a question), and counts rarity over all chunks,
those of other tenants too; ours gives the same scores where everything is seen.

    lexicon = Lexicon(catalog, columns)
    ranked = lexicon.search("iPhone 15 保修多久", limit=50, view=view)

Source: Robertson, Zaragoza (2009), with FTS5's constants and its idf, never below 1e-6.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.segment import query_terms, terms
from dialog.knowledge.views import Columns, View

_HEADING_WEIGHT = 3.0
"""Of a term in the headings, beside 1 in the body."""
_K1, _B = 1.2, 0.75
_LEAST_IDF = 1e-6
_MAX_TERMS = 64
"""A pasted page is cut to its rarest terms; more cost time and add noise. Numbers and codes stay."""
_MAX_KEPT = 256
_NEGATIONS = frozenset(
    terms(
        "not no nor never none neither cannot without don't doesn't didn't won't wouldn't isn't aren't wasn't"
    )
)
"""Stop words everywhere else; what is not covered is said with them."""
_MAX_COUNTED = 512
"""Terms whose rarity is told; of a longer text the rest are taken for rare."""
_STRIDE = 32
"""How coarsely the best are looked for first."""
_KEPT_COUNTS = 100_000
_KEPT_BYTES = 96 * 1024 * 1024
"""Postings in memory; of 100,000 passages of 110 words this holds what 300 questions ask for, thrice over."""


@dataclass(frozen=True, eq=False)
class Postings:
    """The rows a term stands in, ascending, and how often, weighted by where."""

    rows: np.ndarray
    frequencies: np.ndarray

    @property
    def num_bytes(self) -> int:
        return int(self.rows.nbytes + self.frequencies.nbytes) + 200


class Lexicon:
    """The terms of one published generation, inside a snapshot of which every call stands. Thread-safe."""

    def __init__(self, catalog: Catalog, columns: Columns) -> None:
        self._catalog = catalog
        self._columns = columns
        self._kept: OrderedDict[str, Postings] = OrderedDict()
        self._kept_bytes = 0
        self._counts: dict[tuple[View, str], int] = {}
        self._lock = threading.Lock()

    def search(self, query: str, *, limit: int, view: View) -> list[tuple[int, float]]:
        """(chunk number, score), best first; empty where no term of the query occurs in the view."""
        scores = np.zeros(len(self._columns.numbers), dtype=np.float32)
        for term in self._wanted(query):
            if found := self._count(term, view):
                postings = self._postings(term)
                scores[postings.rows] += self._weights(postings, found=found, view=view)
        if view.mask is not None:
            scores *= view.mask
        rows = np.flatnonzero(scores > 0.0)
        rows = rows[top(scores[rows], limit)]
        return list(zip(self._columns.numbers[rows].tolist(), scores[rows].tolist(), strict=True))

    def document_frequencies(self, terms: Sequence[str], *, view: View) -> dict[str, int]:
        """In how many chunks of the view each term occurs; absent terms are left out."""
        counts = {term: self._count(term, view) for term in terms[:_MAX_COUNTED]}
        return {term: count for term, count in counts.items() if count}

    def holding(
        self, wanted: Sequence[str], *, limit: int, view: View, in_heading: bool = False
    ) -> list[int]:
        """Numbers of chunks of the view that hold any of the terms, those that hold most first."""
        scores = np.zeros(len(self._columns.numbers), dtype=np.float32)
        for term in wanted:
            if in_heading:
                numbers, in_body = self._catalog.occurrences(term)
                scores[self._columns.rows_of(np.unique(numbers[~in_body]))] += 1.0
            else:
                postings = self._postings(term)
                scores[postings.rows] += postings.frequencies
        if view.mask is not None:
            scores *= view.mask
        rows = np.flatnonzero(scores > 0.0)
        found: list[int] = self._columns.numbers[rows[top(scores[rows], limit)]].tolist()
        return found

    def _wanted(self, query: str) -> list[str]:
        wanted = lexical_terms(query)
        if len(wanted) <= _MAX_TERMS:
            return wanted
        frequencies: dict[str, int] = {}
        for i in range(0, min(len(wanted), 20_000), 500):
            frequencies |= self._catalog.document_frequencies(wanted[i : i + 500])
        kept = [term for term in frequencies if term in _NEGATIONS or any(c.isdigit() for c in term)]
        rarest = sorted(frequencies, key=lambda term: frequencies[term])[:_MAX_TERMS]
        return list(dict.fromkeys([*kept[:_MAX_KEPT], *rarest]))

    def _weights(self, postings: Postings, *, found: int, view: View) -> np.ndarray:
        idf = max(_LEAST_IDF, math.log((view.num_chunks - found + 0.5) / (found + 0.5)))
        lengths = self._columns.num_terms[postings.rows]
        damped: np.ndarray = lengths * (_K1 * _B / view.mean_terms)
        damped += _K1 * (1.0 - _B)
        damped += postings.frequencies
        np.divide(postings.frequencies, damped, out=damped)
        damped *= idf * (_K1 + 1.0)
        return damped

    def _count(self, term: str, view: View) -> int:
        """In how many chunks of the view the term occurs."""
        if view.mask is None:
            return len(self._postings(term).rows)
        with self._lock:
            if (known := self._counts.get((view, term))) is not None:
                return known
        count = int(np.count_nonzero(view.mask[self._postings(term).rows]))
        with self._lock:
            if len(self._counts) >= _KEPT_COUNTS:
                self._counts.clear()
            self._counts[view, term] = count
        return count

    def _postings(self, term: str) -> Postings:
        with self._lock:
            if (kept := self._kept.get(term)) is not None:
                self._kept.move_to_end(term)
                return kept
        postings = self._read(term)
        with self._lock:
            if term not in self._kept:
                self._kept[term] = postings
                self._kept_bytes += postings.num_bytes
            while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._kept_bytes -= self._kept.popitem(last=False)[1].num_bytes
        return postings

    def _read(self, term: str) -> Postings:
        numbers, in_body = self._catalog.occurrences(term)
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        weights = np.where(in_body, np.float32(1.0), np.float32(_HEADING_WEIGHT))
        frequencies = np.add.reduceat(weights, starts) if len(starts) else weights
        rows = self._columns.rows_of(numbers[starts])
        return Postings(rows.astype(np.int32), frequencies)


def lexical_terms(query: str) -> list[str]:
    """The informative terms and the negations of a query."""
    negations = (term for term in terms(query) if term in _NEGATIONS)
    return list(dict.fromkeys([*query_terms(query), *negations]))


def top(scores: np.ndarray, limit: int) -> np.ndarray:
    """Indices of the highest scores, best first; ties by position."""
    rows = np.arange(len(scores))
    for stride in (_STRIDE, 1):
        if len(rows) > stride * limit:
            # The limit-th of some is not above the limit-th of all; of many equals, partition is slow.
            some = scores[rows[::stride]]
            least = np.partition(some, len(some) - limit)[len(some) - limit]
            rows = rows[scores[rows] >= least]
    return rows[np.argsort(-scores[rows], kind="stable")][:limit]
