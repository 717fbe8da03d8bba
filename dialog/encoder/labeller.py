"""Labels texts with an encoder that was trained for it.

labeller = Labeller.load(Path("banking"))
labelled = labeller(["My card has not arrived"])
labelled.probabilities.shape, labelled.in_scope        # (1, 77), array([0.99])
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dialog.encoder.base import Base, compute_dtype, open_base
from dialog.encoder.files import LabelConfig, load_labeller
from dialog.encoder.network import LabelNetwork
from dialog.encoder.scope import signs

_BATCH_TOKENS = 4096


@dataclass(frozen=True)
class Labelled:
    """What a labeller found, a row a text.

    Attributes:
        probabilities: calibrated, (N, L), rows sum to 1: of each label if any fits.
        in_scope: that any fits, (N,); 1 where nothing was fitted to tell.
    """

    probabilities: np.ndarray
    in_scope: np.ndarray


class Labeller:
    """A trained folder, ready; safe to share between threads."""

    def __init__(self, network: LabelNetwork, centroids_LD: Tensor, config: LabelConfig, base: Base) -> None:
        self.config = config
        self._network, self._centroids_LD, self._base = network, centroids_LD, base
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path) -> Labeller:
        """Raises ModelError."""
        base = open_base()
        return cls(*load_labeller(folder, base=base), base)

    def __call__(self, texts: Sequence[str]) -> Labelled:
        """In order; a text beyond `config.max_tokens` is read so far."""
        if not texts:
            return Labelled(np.empty((0, len(self.config.labels))), np.empty(0))
        ids = self._base.ids(texts, max_tokens=self.config.max_tokens)
        with self._lock, torch.inference_mode():
            pooled_ND = embedded(self._network, ids)
            logits_NL = self._network.logits(pooled_ND)
            shares_NL = torch.softmax(logits_NL / self.config.temperature, dim=1)
            in_scope_N = torch.ones(len(texts))
            if self.config.scope is not None:
                found = signs(logits_NL, pooled_ND, self._centroids_LD)
                in_scope_N = self.config.scope.probabilities(found)
        return Labelled(shares_NL.numpy(), in_scope_N.numpy())


@torch.no_grad()
def embedded(network: LabelNetwork, ids: Sequence[Sequence[int]]) -> Tensor:
    """Unit vectors of texts, (N, D), in order, nothing dropped out."""
    was_training = network.training
    network.eval()
    pooled_ND = torch.empty(len(ids), network.head.in_features)
    dtype = compute_dtype()
    with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        for rows in by_length([len(one) for one in ids], max_tokens=_BATCH_TOKENS):
            pooled_ND[rows] = network.pooled(network.below([ids[row] for row in rows])).float()
    network.train(was_training)
    return pooled_ND


def by_length(lengths: Sequence[int], *, max_tokens: int) -> Iterator[list[int]]:
    """Row numbers in batches of like length, each padded to at most `max_tokens` (one text may exceed it)."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if batch and (lengths[row] + 2) * (len(batch) + 1) > max_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
