"""An embedder without weights: words and pairs of Han characters, hashed into a few dimensions.

Texts that share words are near each other, nothing else is known. Equal on
every machine and in every run.

    vectors = HashEmbedder().embed_passages(["Returns are free", "退货免费"])    # (2, 64), unit rows
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from dialog.text import is_han, words


class HashEmbedder:
    """A `protocols.Embedder`. A text without words gives the first axis, so every row is a unit vector."""

    def __init__(self, *, dimension: int = 64, name: str = "hash") -> None:
        self.name = name
        self.dimension = dimension
        self.fingerprint = f"{name}-{dimension}"

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for feature in _features(text):
                digest = hashlib.blake2b(feature.encode(), digest_size=8).digest()
                number = int.from_bytes(digest, "big")
                row[number % self.dimension] += 1.0 if number >> 63 else -1.0
            norm = float(np.linalg.norm(row))
            if norm == 0.0:
                row[0] = norm = 1.0
            row /= norm
        return rows


def _features(text: str) -> list[str]:
    """Words, and for Chinese each pair of neighbouring Han characters as well."""
    found = words(text)
    pairs = [first + second for first, second in pairwise(found)]
    return found + [pair for pair in pairs if is_han(pair)]
