"""Exact and near duplicates among conversations, from signatures only: texts are not kept.

MinHash over pairs of neighbouring words (a Han character is a word), banded:
conversations that share a band are compared by their signatures. With 120
permutations in 24 bands of 5, a pair of similarity 0.8 is a candidate with
probability 0.9999, one of 0.3 with 0.06; the estimate's standard error at 0.8 is
0.037, so near the threshold it may go either way. `benchmarks/duplicates.py`
measures what comes of it. Of each minimum 16 bits are kept: two differing ones
agree by chance once in 65,536.

A conversation costs 240 bytes and its place. Each duplicate is told once, of
the earliest it resembles.

    index = DuplicateIndex()
    index.add(print_of(text))                       # 0, 1, 2, ... in order
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

NUM_PERMUTATIONS = 120
NUM_BANDS = 24
THRESHOLD = 0.8
MIN_SHINGLES = 5
"""Shorter texts are compared exactly only: "thanks, bye" resembles itself too often."""
_MAX_SHINGLES = 20_000
_MAX_COMPARED = 20
_Signatures = NDArray[np.uint16]
_draw = np.random.default_rng(20_240_501)
_FACTORS = _draw.integers(0, 1 << 31, NUM_PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
_OFFSETS = _draw.integers(0, 1 << 32, NUM_PERMUTATIONS, dtype=np.uint32)


@dataclass(frozen=True)
class Pair:
    """Two conversations by their numbers, `first` < `second`; similarity 1 means equal texts."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class Print:
    """What is kept of a text: equal keys mean equal words; `signature` is None for a few words."""

    key: bytes
    signature: bytes | None


def print_of(text: str) -> Print:
    """A text's print."""
    tokens = words(text)
    key = hashlib.blake2b(" ".join(tokens).encode("utf-8", "replace"), digest_size=12).digest()
    shingles = _shingles(tokens)
    return Print(key, _signature(shingles).tobytes() if len(shingles) >= MIN_SHINGLES else None)


class DuplicateIndex:
    """Signatures of what was added, in order."""

    def __init__(self, *, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._signatures = bytearray()
        self._places = array("q")
        self._first_of: dict[bytes, int] = {}
        self._exact: list[tuple[int, int]] = []
        self._num = 0

    def add(self, text: Print) -> None:
        """The next conversation's text."""
        number, self._num = self._num, self._num + 1
        first = self._first_of.setdefault(text.key, number)
        if first != number:
            self._exact.append((first, number))
        elif text.signature is not None:
            self._signatures += text.signature
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
        signatures: _Signatures = np.frombuffer(bytes(self._signatures), dtype=np.uint16).reshape(
            -1, NUM_PERMUTATIONS
        )
        rows = NUM_PERMUTATIONS // NUM_BANDS
        for band in range(NUM_BANDS):
            keys = (
                np.ascontiguousarray(signatures[:, band * rows : (band + 1) * rows])
                .view(np.dtype((np.void, rows * 2)))
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
            alike = (signatures[heads] == signatures[member]).mean(axis=1) if heads else np.empty(0)
            near = np.flatnonzero(alike >= self._threshold)
            if len(near):
                head = heads[near[0]]
                similarity = min(float(alike[near[0]]), 0.999)
                yield Pair(self._places[head], self._places[member], similarity)
            elif len(heads) < _MAX_COMPARED:
                heads.append(member)


def _signature(shingles: NDArray[np.uint32]) -> _Signatures:
    hashed = shingles[:, None] * _FACTORS + _OFFSETS  # modulo 2^32; odd factors permute it
    lowest: _Signatures = (hashed.min(axis=0) & np.uint32(0xFFFF)).astype(np.uint16)
    return lowest


def _shingles(tokens: list[str]) -> NDArray[np.uint32]:
    """Hashes of neighbouring pairs, each once."""
    pairs = {
        zlib.crc32(f"{left} {right}".encode("utf-8", "replace"))
        for left, right in pairwise(tokens[:_MAX_SHINGLES])
    }
    return np.fromiter(pairs, dtype=np.uint32, count=len(pairs))
