"""Training on inputs that were disturbed, so that less is learned by heart; what is to be said stays.

    method.disturbance = Disturbance(neftune=5.0)            # noise on the embeddings
    method.disturbance = Disturbance(adversarial=0.02)       # a push against the loss, read a second time
    method.disturbance = Disturbance(denoise=0.1)            # a share of the reply's tokens are others

Off while evaluating. All chance follows from torch's generator, which the loop seeds by step.

Source: Jain et al. 2023, "NEFTune", section 3 (uniform noise of scale alpha / sqrt(T D));
Miyato et al. 2017, "Adversarial Training Methods for Semi-Supervised Text
Classification", section 3, as FGM: here the push is `adversarial` times the norm
of the example's own embeddings, so that it means the same in every model. Denoising
is a decoder's form of Lewis et al. 2020, "BART", section 2.2 (token masking): replies are read
with wrong tokens, as they are when the model has just said something wrong itself.

Legend: B examples, T tokens, D hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor, nn

from dialog.values import Value
from training.methods.method import IGNORED, Batch


class Disturbance(Value):
    """How much of each; 0 is off.

    Attributes:
        neftune: alpha; 5 to 15 in the paper.
        adversarial: length of the push, a share of the embeddings' norm; costs a second pass.
        denoise: share of the reply's tokens that are read as another token of the example.
    """

    neftune: float = Field(default=0.0, ge=0)
    adversarial: float = Field(default=0.0, ge=0)
    denoise: float = Field(default=0.0, ge=0, lt=1)


@dataclass
class Embedded:
    """The embeddings (B, T, D) of the pass that was made last, with their gradient to come."""

    states_BTD: Tensor | None = None


@contextmanager
def embeddings(table: nn.Module, *, added_BTD: Tensor | None = None) -> Iterator[Embedded]:
    """Within, what the table gives is kept and can be asked for its gradient; `added_BTD` is added to it."""
    kept = Embedded()

    def hook(module: nn.Module, given: object, states_BTD: Tensor) -> Tensor:
        kept.states_BTD = states_BTD if states_BTD.requires_grad else states_BTD.detach().requires_grad_()
        return kept.states_BTD if added_BTD is None else kept.states_BTD + added_BTD

    handle = table.register_forward_hook(hook)
    try:
        yield kept
    finally:
        handle.remove()


def noise(batch: Batch, *, size: int, alpha: float, dtype: torch.dtype) -> Tensor:
    """Uniform noise (B, T, size) whose scale falls with the length of each example; none on padding."""
    lengths_B = batch.visible_BT.sum(dim=1)
    scale_B = alpha / (lengths_B * size).float().sqrt()
    drawn_BTD = torch.rand((*batch.ids_BT.shape, size), device=batch.ids_BT.device) * 2 - 1
    return (drawn_BTD * scale_B[:, None, None] * batch.visible_BT[..., None]).to(dtype)


def push(states_BTD: Tensor, gradient_BTD: Tensor, *, strength: float) -> Tensor:
    """Along the gradient, in each example `strength` times as long as its embeddings."""
    norms_B11 = states_BTD.detach().float().flatten(1).norm(dim=1)[:, None, None]
    steep_B11 = gradient_BTD.float().flatten(1).norm(dim=1)[:, None, None].clamp_min(1e-12)
    pushed_BTD: Tensor = strength * norms_B11 * gradient_BTD.float() / steep_B11
    return pushed_BTD.to(states_BTD.dtype)


def corrupted(batch: Batch, *, share: float) -> Tensor:
    """The ids with that share of each reply's tokens replaced by tokens of the same example at random."""
    rows_B1 = torch.arange(len(batch.ids_BT), device=batch.ids_BT.device)[:, None]
    is_reply_BT = torch.zeros_like(batch.visible_BT)
    is_target_BQ = batch.targets_BQ != IGNORED
    where_BQ = (batch.positions_BQ + 1) * is_target_BQ  # of no target: the first token, cleared below
    is_reply_BT[rows_B1, where_BQ] = True
    is_reply_BT[:, 0] = False
    is_changed_BT = is_reply_BT & (torch.rand(is_reply_BT.shape, device=is_reply_BT.device) < share)
    lengths_B1 = batch.visible_BT.sum(dim=1, keepdim=True)
    drawn_BT = (torch.rand(is_reply_BT.shape, device=is_reply_BT.device) * lengths_B1).long()
    return torch.where(is_changed_BT, batch.ids_BT[rows_B1, drawn_BT], batch.ids_BT)
