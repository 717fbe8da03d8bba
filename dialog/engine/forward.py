"""One forward pass over new tokens, the past taken from the cache.

Shapes: B sequences (1 here), T new tokens, V vocabulary.

    forward = Forward(model)
    with prefix.extending(ids):
        logits_BV = forward.next_logits(ids, prefix.cache)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from dialog.engine.cache import new_cache


class Forward:
    """A transformers causal language model as two functions of ids and a cache."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model.eval()
        self.device = model.device

    def new_cache(self) -> DynamicCache:
        return new_cache(self.model.config)

    @torch.inference_mode()
    def next_logits(self, ids: Sequence[int], cache: DynamicCache) -> Tensor:
        """Logits (1, V), float32, of the token after `ids`; `cache` then holds them too.

        The head, a quarter of the work at this size, is applied to the last position only.
        """
        return self._run(ids, cache, keep=1)[:, -1].float()

    @torch.inference_mode()
    def all_logits(self, ids: Sequence[int], cache: DynamicCache) -> Tensor:
        """Logits (1, T, V), float32, of the token after each of `ids`."""
        return self._run(ids, cache, keep=0).float()

    def _run(self, ids: Sequence[int], cache: DynamicCache, *, keep: int) -> Tensor:
        ids_BT = torch.tensor([list(ids)], dtype=torch.long, device=self.device)
        output = self.model(input_ids=ids_BT, past_key_values=cache, use_cache=True, logits_to_keep=keep)
        logits_BTV = output.logits
        assert isinstance(logits_BTV, Tensor)
        return logits_BTV
