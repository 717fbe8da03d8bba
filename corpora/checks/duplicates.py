"""Exact and near duplicates among conversations, from signatures only: texts are not kept.

MinHash over pairs of neighbouring words (a Han character is a word), banded:
conversations that share a band are compared by their signatures. With 64
permutations in 16 bands of 4, a pair of similarity 0.8 is a candidate with
probability 0.9998, one of 0.3 with 0.12; the estimate's standard error at 0.8 is
0.05. `benchmarks/duplicates.py` measures what comes of it.

A conversation costs 256 bytes and its place. Each duplicate is told once, of
the earliest it resembles.

    index = DuplicateIndex()
    index.add(text)                       # 0, 1, 2, ... in order
    for pair in index.pairs(): ...

Source: Broder, On the resemblance and containment of documents (1997);
Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4 (banding).
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dialog.text import words

NUM_PERMUTATIONS = 64
NUM_BANDS = 16
THRESHOLD = 0.8
MIN_SHINGLES = 5
"""Shorter texts are compared exactly only: "thanks, bye" resembles itself too often."""
_MAX_SHINGLES = 20_000
_PRIME = np.uint64((1 << 31) - 1)
_MAX_COMPARED = 20
_Signatures = NDArray[np.uint32]


@dataclass(frozen=True)
class Pair:
    """Two conversations by their numbers, `first` < `second`; similarity 1 means equal texts."""

    first: int
    second: int
    similarity: float


class DuplicateIndex:
    """Signatures of what was added, in order."""

    def __init__(self, *, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        draw = np.random.default_rng(20_240_501)
        self._factors = draw.integers(1, int(_PRIME), NUM_PERMUTATIONS, dtype=np.uint64)
        self._offsets = draw.integers(0, int(_PRIME), NUM_PERMUTATIONS, dtype=np.uint64)
        self._signatures = bytearray()
        self._places = array("q")
        self._first_of: dict[bytes, int] = {}
        self._exact: list[tuple[int, int]] = []
        self._num = 0

    def add(self, text: str) -> None:
        """The next conversation's text."""
        number, self._num = self._num, self._num + 1
        tokens = words(text)
        key = hashlib.blake2b(" ".join(tokens).encode("utf-8", "replace"), digest_size=12).digest()
        first = self._first_of.setdefault(key, number)
        if first != number:
            self._exact.append((first, number))
            return
        shingles = _shingles(tokens)
        if len(shingles) >= MIN_SHINGLES:
            self._signatures += self._signature(shingles).tobytes()
            self._places.append(number)

    def pairs(self) -> Iterator[Pair]:
        """Each conversation that resembles an earlier one, with the earliest found, by its number."""
        found = {second: Pair(first, second, 1.0) for first, second in self._exact}
        for pair in self._near():
            known = found.get(pair.second)
            if known is None or (known.similarity < 1 and pair.first < known.first):
                found[pair.second] = pair
        for second in sorted(found):
            yield found[second]

    def _near(self) -> Iterator[Pair]:
        signatures: _Signatures = np.frombuffer(bytes(self._signatures), dtype=np.uint32).reshape(
            -1, NUM_PERMUTATIONS
        )
        rows = NUM_PERMUTATIONS // NUM_BANDS
        for band in range(NUM_BANDS):
            keys = (
                np.ascontiguousarray(signatures[:, band * rows : (band + 1) * rows])
                .view(np.dtype((np.void, rows * 4)))
                .ravel()
            )
            order = np.argsort(keys, kind="stable")
            ordered = keys[order]
            changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
            for group in np.split(order, changes) if len(order) else ():
                if len(group) > 1:
                    yield from self._compared(group, signatures)

    def _compared(self, group: NDArray[np.int64], signatures: _Signatures) -> Iterator[Pair]:
        """Each of a band's group against the first members that differ from one another."""
        heads: list[int] = []
        for member in group.tolist():
            near = False
            for head in heads:
                similarity = float((signatures[head] == signatures[member]).mean())
                if similarity >= self._threshold:
                    near = True
                    yield Pair(self._places[head], self._places[member], min(similarity, 0.999))
                    break
            if not near and len(heads) < _MAX_COMPARED:
                heads.append(member)

    def _signature(self, shingles: NDArray[np.uint64]) -> _Signatures:
        hashed = (np.outer(shingles, self._factors) + self._offsets) % _PRIME
        lowest: _Signatures = hashed.min(axis=0).astype(np.uint32)
        return lowest


def _shingles(tokens: list[str]) -> NDArray[np.uint64]:
    """Hashes of neighbouring pairs below 2^31, each once."""
    pairs = {
        zlib.crc32(f"{left} {right}".encode("utf-8", "replace")) & 0x7FFFFFFF
        for left, right in pairwise(tokens[:_MAX_SHINGLES])
    }
    return np.fromiter(pairs, dtype=np.uint64, count=len(pairs))
