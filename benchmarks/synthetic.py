"""Made-up passages in two languages and vectors for them: for measuring speed, not quality.

Words are drawn by Zipf's law, so that some stand in most passages and most in
few; vectors lie in clusters, one a topic, as an embedder's do.

    shelf = Shelf(num_texts=100_000, seed=1)
    shelf.text(0), shelf.query(0)      # even numbers are English, odd ones Chinese
    ClusteredVectors().embed_passages([shelf.text(0)])
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

NUM_TOPICS = 500
_ENGLISH_WORDS, _CHINESE_WORDS = 60_000, 30_000
_ENGLISH_LENGTH, _CHINESE_LENGTH = 110, 80
_QUERY_WORDS = 7


@dataclass(frozen=True)
class Shelf:
    """Texts of one seed, each by its number."""

    num_texts: int
    seed: int

    @cached_property
    def _english(self) -> list[str]:
        syllables = [c + v for c, v in product("bdfgklmnprstvz", "aeiou")]
        words = ("".join(parts) for n in (2, 3) for parts in product(syllables, repeat=n))
        pick = np.random.default_rng(self.seed).permutation(2 * _ENGLISH_WORDS)
        found = [word for word, _ in zip(words, range(2 * _ENGLISH_WORDS), strict=False)]
        return [found[i] for i in pick[:_ENGLISH_WORDS]]

    @cached_property
    def _chinese(self) -> list[str]:
        pick = np.random.default_rng(self.seed)
        # Characters are common and rare themselves; a word is one or two of them.
        ranks = pick.choice(3000, size=(_CHINESE_WORDS, 2), p=_zipf(3000, 0.6))
        words = [chr(0x4E00 + 5 * first) + chr(0x4E00 + 5 * second) for first, second in ranks]
        return [word[:1] if i % 4 == 0 else word for i, word in enumerate(words)]

    def text(self, number: int) -> str:
        """A title word that is its topic, then words."""
        words = self._words(number)
        if number % 2:
            return "，".join("".join(words[i : i + 12]) for i in range(0, len(words), 12)) + "。"
        return " ".join(words) + "."

    def query(self, number: int) -> str:
        """Some of the words of the text, its topic first."""
        words = self._words(number)
        pick = np.random.default_rng((self.seed, number, 1))
        chosen = [words[0], *pick.choice(words[1:], size=_QUERY_WORDS - 1)]
        return ("" if number % 2 else " ").join(chosen)

    def _words(self, number: int) -> list[str]:
        pick = np.random.default_rng((self.seed, number))
        words, length = (self._chinese, _CHINESE_LENGTH) if number % 2 else (self._english, _ENGLISH_LENGTH)
        topic = f"话题{chr(0x9000 + number % NUM_TOPICS)}" if number % 2 else f"topic{number % NUM_TOPICS}"
        ranks = np.searchsorted(_cumulative(len(words)), pick.random(length))
        return [topic, *(words[i] for i in ranks)]


class ClusteredVectors:
    """Stands for an embedder that costs nothing: a text's vector lies around that of its first characters."""

    name, dimension, fingerprint = "clustered", 384, "clustered-384"

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        rows = [self._around(text[:3] if text[:1] > "z" else text.partition(" ")[0], text) for text in texts]
        vectors = np.array(rows, dtype=np.float32)
        unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    embed_passages = embed_queries

    def _around(self, topic: str, text: str) -> np.ndarray:
        centre = np.random.default_rng(zlib.crc32(topic.encode())).standard_normal(self.dimension)
        noise = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(self.dimension)
        around: np.ndarray = centre + 0.7 * noise
        return around


def _zipf(count: int, exponent: float) -> np.ndarray:
    weights = 1.0 / np.arange(1, count + 1) ** exponent
    shares: np.ndarray = weights / weights.sum()
    return shares


def _cumulative(count: int) -> np.ndarray:
    # Without the first ranks: those are the stop words, and no query holds them.
    weights = 1.0 / np.arange(30, count + 30)
    total: np.ndarray = np.cumsum(weights / weights.sum())
    return np.minimum(total, 1.0) if total[-1] >= 1.0 else np.append(total[:-1], 1.0)
