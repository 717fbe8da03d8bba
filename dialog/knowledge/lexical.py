"""The lexical leg: BM25 over pre-segmented terms, within what a search may see.

The catalog keeps which term stands where (`dialog.knowledge.postings`). The
postings of all terms of a question that were not asked for yet are fetched at
once and kept as arrays, so a question costs a few array operations a term.
SQLite FTS5's `bm25()` visits every match one by one (at 100,000 chunks 100 to
200 ms a question), and counts rarity over all chunks, those of other tenants
too; ours gives the same scores where everything is seen.

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
from itertools import pairwise

import numpy as np

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.postings import Parts, decode
from dialog.knowledge.segment import query_terms, terms
from dialog.knowledge.views import Columns, View

_HEADING_WEIGHT = np.float32(3.0)
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
    heading_rows: np.ndarray
    """Those with the term in a heading."""

    @property
    def num_bytes(self) -> int:
        return int(self.rows.nbytes + self.frequencies.nbytes + self.heading_rows.nbytes) + 300


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
        for term, postings in self._postings(self._wanted(query)).items():
            if found := self._count(term, postings, view):
                scores[postings.rows] += self._weights(postings, found=found, view=view)
        return self._best(scores, limit=limit, view=view)

    def document_frequencies(self, terms: Sequence[str], *, view: View) -> dict[str, int]:
        """In how many chunks of the view each term occurs; absent terms are left out."""
        read = self._postings(list(dict.fromkeys(terms[:_MAX_COUNTED])))
        counts = {term: self._count(term, postings, view) for term, postings in read.items()}
        return {term: count for term, count in counts.items() if count}

    def holding(
        self, wanted: Sequence[str], *, limit: int, view: View, in_heading: bool = False
    ) -> list[int]:
        """Numbers of chunks of the view that hold any of the terms, those that hold most first."""
        scores = np.zeros(len(self._columns.numbers), dtype=np.float32)
        for postings in self._postings(wanted).values():
            if in_heading:
                scores[postings.heading_rows] += 1.0
            else:
                scores[postings.rows] += postings.frequencies
        return [number for number, _ in self._best(scores, limit=limit, view=view)]

    def held(self, wanted: Sequence[str], number: int) -> set[str]:
        """Those of the terms that stand in the chunk with this number."""
        (row,), _ = self._columns.find(np.array([number]))
        places = {
            term: (found.rows, found.rows.searchsorted(row)) for term, found in self._postings(wanted).items()
        }
        return {term for term, (rows, place) in places.items() if place < len(rows) and rows[place] == row}

    def _best(self, scores: np.ndarray, *, limit: int, view: View) -> list[tuple[int, float]]:
        if view.mask is not None:
            scores *= view.mask
        rows = np.flatnonzero(scores > 0.0)
        rows = rows[top(scores[rows], limit)]
        return list(zip(self._columns.numbers[rows].tolist(), scores[rows].tolist(), strict=True))

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

    def _count(self, term: str, postings: Postings, view: View) -> int:
        """In how many chunks of the view the term occurs."""
        if view.mask is None:
            return len(postings.rows)
        with self._lock:
            if (known := self._counts.get((view, term))) is not None:
                return known
        count = int(np.count_nonzero(view.mask[postings.rows]))
        with self._lock:
            if len(self._counts) >= _KEPT_COUNTS:
                self._counts.clear()
            self._counts[view, term] = count
        return count

    def _postings(self, terms: Sequence[str]) -> dict[str, Postings]:
        """Of each term that occurs, in the order of `terms`."""
        with self._lock:
            known = {term: self._kept[term] for term in terms if term in self._kept}
            for term in known:
                self._kept.move_to_end(term)
        if missing := [term for term in terms if term not in known]:
            known |= self._read(missing)
        return {term: known[term] for term in terms if len(known[term].rows)}

    def _read(self, missing: Sequence[str]) -> dict[str, Postings]:
        found = self._catalog.postings(missing)
        read = dict(zip(missing, self._decoded([found.get(term, []) for term in missing]), strict=True))
        with self._lock:
            for term in missing:
                if term not in self._kept:
                    self._kept[term] = read[term]
                    self._kept_bytes += read[term].num_bytes
            while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._kept_bytes -= self._kept.popitem(last=False)[1].num_bytes
        return read

    def _decoded(self, found: Sequence[Parts]) -> list[Postings]:
        """Of each term, without the chunks that are not in this generation."""
        numbers, in_body, in_heading, ends = decode(found)
        rows, is_there = self._columns.find(numbers)
        frequencies = (in_body + _HEADING_WEIGHT * in_heading).astype(np.float32)
        if not is_there.all():
            rows, frequencies, in_heading = rows[is_there], frequencies[is_there], in_heading[is_there]
            ends = np.concatenate(([0], np.cumsum(is_there)))[ends]
        has_heading = in_heading > 0
        # Copies: a part of an array keeps the whole of it in memory.
        return [
            Postings(rows[i:j].copy(), frequencies[i:j].copy(), rows[i:j][has_heading[i:j]])
            for i, j in pairwise([0, *ends.tolist()])
        ]


def lexical_terms(query: str) -> list[str]:
    """The informative terms and the negations of a query."""
    negations = (term for term in terms(query) if term in _NEGATIONS)
    return list(dict.fromkeys([*query_terms(query), *negations]))


def top(scores: np.ndarray, limit: int) -> np.ndarray:
    """Indices of the highest scores, best first; ties by position."""
    rows = np.arange(len(scores))
    if len(scores) > _STRIDE * limit:
        # The limit-th of some is not above the limit-th of all; of many equals, partition is slow.
        rows = np.flatnonzero(scores >= _limit_th(scores[::_STRIDE], limit))
    if len(rows) > limit:
        rows = rows[scores[rows] >= _limit_th(scores[rows], limit)]
    return rows[np.argsort(-scores[rows], kind="stable")][:limit]


def _limit_th(scores: np.ndarray, limit: int) -> float:
    return float(np.partition(scores, len(scores) - limit)[len(scores) - limit])
