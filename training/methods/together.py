"""A LoRA and an instruction decoder on it, trained in one run: at once ("joint") or by turns ("alternate").

    method = TogetherMethod(lora, decoder, turns="alternate", detach_taps=True, fingerprint=base.fingerprint)
    run = Run(method, RunOptions(lr=5e-4, paces={"decoder": Pace(lr=2e-3)}))

With `detach_taps` the decoder learns from the model's states and sends nothing
back: the LoRA has a loss of its own, as if it were alone. Without, the LoRA is
trained through the decoder, which then may leave all the work to it.

Legend: B examples, T tokens, Q supervised positions, K taps, D hidden size.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from dialog.engine.prepare import adapted
from training.examples import Example
from training.features import FeatureCache
from training.methods.decoder import DecoderMethod
from training.methods.method import Batch, Losses
from training.methods.peft_methods import LoraMethod

Turns = Literal["alternate", "joint"]


class NoFeatures(FeatureCache):
    """Stands where a cache does: states change with the LoRA, so none can be kept."""

    def __init__(self) -> None:
        """Nothing is kept."""

    def taps(self, example: Example) -> Tensor:
        """Of no width; `TogetherMethod` puts the model's own in their place."""
        return torch.empty(len(example.ids), 0, 0)


class TogetherMethod:
    """See the module; a `Parted` method.

    Args:
        decoder: with `NoFeatures`.
        fingerprint: of the model without the LoRA.
    """

    name = "lora+decoder"

    def __init__(
        self, lora: LoraMethod, decoder: DecoderMethod, *, turns: Turns, detach_taps: bool, fingerprint: str
    ) -> None:
        self._lora, self._decoder = lora, decoder
        self._turns = turns
        self._detach_taps = detach_taps
        self._fingerprint = fingerprint
        self._learns = self.learning(0)
        self.module: nn.Module = nn.ModuleDict(dict(self.parts))

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        return {"lora": self._lora.module, "decoder": self._decoder.module}

    @property
    def besides(self) -> tuple[tuple[str, float], ...]:
        own = (("model", 1.0),) if self._detach_taps else ()
        return (*self._decoder.besides, *own)

    def learning(self, step: int) -> Collection[str]:
        both = tuple(self.parts)
        return both if self._turns == "joint" else (both[step % 2],)

    def begin_step(self, step: int) -> None:
        self._learns = self.learning(step)

    def batch(self, examples: Sequence[Example]) -> Batch:
        batch = self._decoder.batch(examples)
        own = (batch.weight if "lora" in self._learns else 0.0,) if self._detach_taps else ()
        return replace(batch, num_besides=(*batch.num_besides, *own))

    def losses(self, batch: Batch) -> Losses:
        """Cross-entropy of both together; besides it the decoder's terms, and the model's own loss."""
        is_training = self.module.training and torch.is_grad_enabled()
        with torch.set_grad_enabled(is_training and "lora" in self._learns):
            taps_BTKD = self._taps(batch)
            own = self._own(taps_BTKD[:, :, -1], batch) if self._detach_taps else ()
        if self._detach_taps:
            taps_BTKD = taps_BTKD.detach()
        with torch.set_grad_enabled(is_training and ("decoder" in self._learns or not self._detach_taps)):
            losses = self._decoder.losses(replace(batch, inputs=replace(batch.inputs, taps_BTKD=taps_BTKD)))
        return Losses(losses.tokens_BQ, (*losses.besides, *own))

    def as_base(self) -> AbstractContextManager[None]:
        """Both begin as nothing."""
        return nullcontext()

    def after_step(self, step: int) -> None:
        """Nothing to do."""

    def state(self) -> dict[str, Tensor]:
        return {}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Nothing is kept besides parameters."""

    def save(self, folder: Path) -> None:
        """Both into one folder; the decoder is refused on any model but the one with this adapter."""
        self._lora.save(folder)
        decoder = self._decoder.module
        decoder.config = decoder.config.model_copy(update={"model": adapted(self._fingerprint, folder)})
        self._decoder.save(folder)

    def _taps(self, batch: Batch) -> Tensor:
        states = self._lora.causal.base_model(
            input_ids=batch.ids_BT,
            attention_mask=batch.visible_BT.long(),
            use_cache=False,
            output_hidden_states=True,
        ).hidden_states
        return torch.stack([states[tap] for tap in self._decoder.module.config.taps], dim=2)

    def _own(self, hidden_BTD: Tensor, batch: Batch) -> tuple[Tensor]:
        if "lora" not in self._learns or not self.module.training:
            return (batch.weights_BQ.new_zeros(()),)
        return ((self._lora.head_losses(hidden_BTD, batch) * batch.weights_BQ).sum(),)
