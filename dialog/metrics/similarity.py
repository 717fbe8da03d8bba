"""Embedding similarity: cosine of reply and reference, the mean over turns.

Says whether two texts are about the same, never whether they say the same:
`可以退货` and `不可以退货` are neighbours. See `dialog.metrics.facts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import divided

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats


class Embeds(Protocol):
    """What is needed of `dialog.protocols.Embedder`: unit vectors, one row a text."""

    @property
    def fingerprint(self) -> str: ...

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray: ...


class Similarity:
    """-1..1; a missing or empty reply scores 0. Both sides are embedded as passages."""

    name = "similarity"
    unit = "cosine"
    higher_is_better: bool | None = True
    size = 2

    def __init__(self, embedder: Embeds) -> None:
        self._embedder = embedder
        self.signature = f"cosine|embedder:{embedder.fingerprint}|as:passage|avg:turn"

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        pairs = [(turn.given.text or "", turn.wanted.text) for turn in turns if turn.wanted.text is not None]
        answered = [(given, wanted) for given, wanted in pairs if given.strip()]
        if not answered:
            return np.array([0.0, len(pairs)])
        rows = self._embedder.embed_passages([text for pair in answered for text in pair])
        cosines = np.einsum("ij,ij->i", rows[0::2].astype(np.float64), rows[1::2].astype(np.float64))
        return np.array([cosines.sum(), len(pairs)])

    def value(self, sums: Floats) -> Floats:
        return divided(sums[..., 0], sums[..., 1])
