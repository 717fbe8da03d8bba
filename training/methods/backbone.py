"""What all methods share that train within the model: reading it with gradients, and the loss of its replies.

The head is applied to supervised positions only; at this size it is a third of
all work otherwise.

Legend: B examples, T tokens, P tokens of a prefix, Q supervised positions, D hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedModel

from training.examples import Example
from training.methods.method import IGNORED, Batch, Losses, padded


class Backbone:
    """A causal language model some of whose parameters are trained.

    Args:
        module: what holds the parameters: the model itself, or what was put around it.
        autocast: compute in bfloat16 although the parameters are float32.
    """

    name = "base"
    besides: tuple[tuple[str, float], ...] = ()

    def __init__(
        self, causal: PreTrainedModel, *, module: nn.Module | None = None, autocast: bool = False
    ) -> None:
        self.causal = causal
        self.module: nn.Module = causal if module is None else module
        self._autocast = autocast
        self._softcap = getattr(causal.config.get_text_config(decoder=True), "final_logit_softcapping", None)

    def batch(self, examples: Sequence[Example]) -> Batch:
        return padded(examples, device=self.causal.device)

    def losses(self, batch: Batch) -> Losses:
        with torch.autocast(self.causal.device.type, torch.bfloat16, enabled=self._autocast):
            hidden_BTD = self.hidden(batch)
            rows_B1 = torch.arange(len(batch.ids_BT), device=batch.ids_BT.device)[:, None]
            is_target_BQ = batch.targets_BQ != IGNORED
            hidden_ND = hidden_BTD[rows_B1, batch.positions_BQ][is_target_BQ]
            logits_NV = self.causal.get_output_embeddings()(hidden_ND).float()
        if self._softcap is not None:
            logits_NV = torch.tanh(logits_NV / self._softcap) * self._softcap
        losses_N = F.cross_entropy(logits_NV, batch.targets_BQ[is_target_BQ], reduction="none")
        losses_BQ = torch.zeros_like(batch.weights_BQ).masked_scatter(is_target_BQ, losses_N)
        return Losses(losses_BQ)

    def hidden(self, batch: Batch) -> Tensor:
        """The last hidden states (B, T, D), normed."""
        return self.read(batch.ids_BT, attention_mask=batch.visible_BT.long(), use_cache=False)

    def read(self, ids_BT: Tensor, **options: Any) -> Tensor:
        hidden_BTD: Tensor = self.causal.base_model(input_ids=ids_BT, **options).last_hidden_state
        return hidden_BTD

    def as_base(self) -> AbstractContextManager[None]:
        """Before the first step nothing is changed."""
        return nullcontext()

    def after_step(self, step: int) -> None:
        """Nothing to do."""

    def state(self) -> dict[str, Tensor]:
        return {}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Nothing is kept besides parameters."""

    def save(self, folder: Path) -> None:
        raise NotImplementedError("the model as it is has nothing to save")
