"""What all methods share that train within the model: reading it with gradients, and the loss of its replies.

The head is applied to supervised positions only; at this size it is a third of
all work otherwise.

Legend: B examples, T tokens, P tokens of a prefix, Q supervised positions, D hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import PreTrainedModel

from training.examples import Example
from training.methods.disturbance import Disturbance, corrupted, embeddings, noise, push
from training.methods.method import IGNORED, Batch, Losses, padded


class Backbone:
    """A causal language model some of whose parameters are trained.

    Args:
        module: what holds the parameters: the model itself, or what was put around it.
        autocast: compute in bfloat16 although the parameters are float32.
    """

    name = "base"

    def __init__(
        self, causal: PreTrainedModel, *, module: nn.Module | None = None, autocast: bool = False
    ) -> None:
        self.causal = causal
        self.module: nn.Module = causal if module is None else module
        self.disturbance = Disturbance()
        self._autocast = autocast
        self._softcap = getattr(causal.config.get_text_config(decoder=True), "final_logit_softcapping", None)

    @property
    def besides(self) -> tuple[tuple[str, float], ...]:
        return (("adversarial", 1.0),) if self.disturbance.adversarial else ()

    def batch(self, examples: Sequence[Example]) -> Batch:
        batch = padded(examples, device=self.causal.device)
        return replace(batch, num_besides=(batch.weight,)) if self.disturbance.adversarial else batch

    def losses(self, batch: Batch) -> Losses:
        """Cross-entropy by token; while training, of inputs that are disturbed as `disturbance` says."""
        disturbance, table = self.disturbance, self.causal.get_input_embeddings()
        if not self.module.training:
            return Losses(
                self.read_losses(batch), tuple(batch.weights_BQ.new_zeros(()) for _ in self.besides)
            )
        if disturbance.denoise:
            batch = replace(batch, ids_BT=corrupted(batch, share=disturbance.denoise))
        added_BTD = None
        if disturbance.neftune:
            size, dtype = table.weight.shape[1], table.weight.dtype
            added_BTD = noise(batch, size=size, alpha=disturbance.neftune, dtype=dtype)
        if not disturbance.adversarial:
            with embeddings(table, added_BTD=added_BTD) if disturbance.neftune else nullcontext():
                return Losses(self.read_losses(batch))
        with embeddings(table, added_BTD=added_BTD) as embedded:
            losses_BQ = self.read_losses(batch)
        assert embedded.states_BTD is not None
        total = (losses_BQ * batch.weights_BQ).sum()
        (gradient_BTD,) = torch.autograd.grad(total, embedded.states_BTD, retain_graph=True)
        pushed_BTD = push(embedded.states_BTD, gradient_BTD, strength=disturbance.adversarial)
        with embeddings(table, added_BTD=pushed_BTD if added_BTD is None else pushed_BTD + added_BTD):
            against_BQ = self.read_losses(batch)
        return Losses(losses_BQ, ((against_BQ * batch.weights_BQ).sum(),))

    def read_losses(self, batch: Batch) -> Tensor:
        """Cross-entropy (B, Q) of each target; 0 where there is none."""
        with torch.autocast(self.causal.device.type, torch.bfloat16, enabled=self._autocast):
            return self.head_losses(self.hidden(batch), batch)

    def head_losses(self, hidden_BTD: Tensor, batch: Batch) -> Tensor:
        """The same, given the last hidden states."""
        rows_B1 = torch.arange(len(batch.ids_BT), device=batch.ids_BT.device)[:, None]
        is_target_BQ = batch.targets_BQ != IGNORED
        hidden_ND = hidden_BTD[rows_B1, batch.positions_BQ][is_target_BQ]
        logits_NV = self.causal.get_output_embeddings()(hidden_ND).float()
        if self._softcap is not None:
            logits_NV = torch.tanh(logits_NV / self._softcap) * self._softcap
        losses_N = F.cross_entropy(logits_NV, batch.targets_BQ[is_target_BQ], reduction="none")
        return torch.zeros_like(batch.weights_BQ).masked_scatter(is_target_BQ, losses_N)

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
