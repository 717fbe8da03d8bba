"""A LoRA that learns to speak like an instruction decoder, for programs that cannot run one.

llama.cpp, vLLM and their kin know weights only. Here the decoder is the teacher
and a LoRA of the same model the student: on the supervised tokens of the same
examples the student's distribution is drawn to the teacher's (KL, in nats), not
to the one word that stands there. What is saved is an ordinary LoRA, which
`instructrec models export` merges. Held-out losses are cross-entropy as ever.

    method = DistilMethod(model, DecoderMethod(decoder, cache, head_VD=head), rank=16, ...)

Source: Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", at temperature 1.

Legend: B examples, T tokens, Q supervised positions of an example, N of all, D hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from transformers import PreTrainedModel

from training.evaluation import evaluating
from training.examples import Example
from training.methods.decoder import DecoderMethod
from training.methods.head_loss import divergences
from training.methods.method import IGNORED, Batch, Losses
from training.methods.peft_methods import LoraMethod


class DistilMethod(LoraMethod):
    """See the module; `options` are those of `LoraMethod`."""

    def __init__(self, model: PreTrainedModel, teacher: DecoderMethod, **options: Any) -> None:
        super().__init__(model, **options)
        self.teacher = teacher
        teacher.module.requires_grad_(False).eval()

    def batch(self, examples: Sequence[Example]) -> Batch:
        """The teacher reads the model as it was, without the LoRA; not where no gradients are wanted."""
        batch = super().batch(examples)
        if not torch.is_grad_enabled():
            return batch
        with evaluating(self), self.peft.disable_adapter():
            return replace(batch, inputs=self.teacher.batch(examples))

    def losses(self, batch: Batch) -> Losses:
        """While training, the divergence from the teacher of each token; cross-entropy otherwise."""
        if batch.inputs is None:
            return super().losses(batch)
        taught_ND, copies = self.teacher.said(batch.inputs)
        is_target_BQ = batch.targets_BQ != IGNORED
        rows_B1 = torch.arange(len(batch.ids_BT), device=batch.ids_BT.device)[:, None]
        hidden_ND = self.hidden(batch)[rows_B1, batch.positions_BQ][is_target_BQ]
        losses_N = divergences(hidden_ND, taught_ND, self.teacher.head_VD, base_copies=copies)
        return Losses(torch.zeros_like(batch.weights_BQ).masked_scatter(is_target_BQ, losses_N))
