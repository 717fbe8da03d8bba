"""Losses behind a frozen head, a few rows at a time: the logits of a batch never exist all at once.

The head is the largest map of a small model, and its logits the largest
tensor of a step. Here each piece of them is made, turned into its losses and
its gradient, and forgotten: one product forth and one back, no second softmax,
no row that is only padding.

    losses_N = cross_entropies(hidden_ND, targets_N, head_VD, copies=Copies(shares_NT, ids_NT))
    losses_N = divergences(hidden_ND, base_ND, head_VD)     # KL(without || with), of each row

Gradients go to the hidden states and the copies, none to the head.

Source: the chunked linear cross-entropy of Hsu et al. 2024 (Liger Kernel), in
plain torch, with copies.

Legend: N positions, D hidden size, V vocabulary, T remembered tokens, C rows of a piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_PIECE_LOGITS = 1 << 23
"""So many logits at once: 32 MB in float32, a hundred and seventy rows of a small model."""


@dataclass(frozen=True)
class Copies:
    """What is added to the logits of some ids: `shares_NT` to those of `ids_NT`."""

    shares_NT: Tensor
    ids_NT: Tensor


def cross_entropies(
    hidden_ND: Tensor, targets_N: Tensor, head_VD: Tensor, *, copies: Copies | None = None
) -> Tensor:
    """Cross-entropy of each target, float32.

    Args:
        hidden_ND: what the head is applied to, in any precision; it is rounded to the head's.
    """
    return _losses(hidden_ND, targets_N, head_VD, copies)


def divergences(
    hidden_ND: Tensor,
    base_ND: Tensor,
    head_VD: Tensor,
    *,
    copies: Copies | None = None,
    base_copies: Copies | None = None,
) -> Tensor:
    """KL(what should be said || what is said) of each position, float32, at least 0 but for rounding.

    Args:
        base_ND: hidden states of what should be said; no gradients go there, nor to its copies.
    """
    return _losses(hidden_ND, base_ND.detach(), head_VD, copies, base_copies)


def _losses(
    hidden_ND: Tensor,
    aims: Tensor,
    head_VD: Tensor,
    copies: Copies | None,
    aimed_copies: Copies | None = None,
) -> Tensor:
    none_N0 = torch.zeros(len(hidden_ND), 0, dtype=torch.long, device=hidden_ND.device)
    none = Copies(none_N0.float(), none_N0)
    mine, theirs = copies or none, aimed_copies or none
    losses_N: Tensor = _HeadLosses.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        hidden_ND, mine.shares_NT.float(), mine.ids_NT, aims, theirs, head_VD.detach()
    )
    return losses_N


class _HeadLosses(torch.autograd.Function):
    """Gradients are made with the losses: of each row they only wait for a factor."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        shares_NT: Tensor,
        ids_NT: Tensor,
        aims: Tensor,
        aimed_copies: Copies,
        head_VD: Tensor,
    ) -> Tensor:
        losses_N = torch.empty(len(hidden_ND), dtype=torch.float32, device=hidden_ND.device)
        hidden_gradient_ND = torch.empty_like(hidden_ND)
        shares_gradient_NT = torch.empty_like(shares_NT)
        rows = max(1, _PIECE_LOGITS // len(head_VD))
        for start in range(0, len(hidden_ND), rows):
            at = slice(start, start + rows)
            logits_CV = _logits(hidden_ND[at], head_VD).scatter_add_(1, ids_NT[at], shares_NT[at])
            if aims.is_floating_point():
                shares_CT = aimed_copies.shares_NT[at].detach().float()
                base_CV = _logits(aims[at], head_VD).scatter_add_(1, aimed_copies.ids_NT[at], shares_CT)
                losses_N[at], gradient_CV = _from_base(logits_CV, base_CV)
            else:
                losses_N[at], gradient_CV = _from_targets(logits_CV, aims[at, None])
            if any(ctx.needs_input_grad[:2]):
                shares_gradient_NT[at] = gradient_CV.gather(1, ids_NT[at])
                hidden_gradient_ND[at] = (gradient_CV.to(head_VD.dtype) @ head_VD).to(hidden_ND.dtype)
        ctx.save_for_backward(hidden_gradient_ND, shares_gradient_NT)
        return losses_N

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        hidden_gradient_ND, shares_gradient_NT = ctx.saved_tensors
        factors_N1 = gradients[0][:, None]
        hidden_ND = hidden_gradient_ND * factors_N1.to(hidden_gradient_ND.dtype)
        return hidden_ND, shares_gradient_NT * factors_N1, None, None, None, None


def _logits(hidden_CD: Tensor, head_VD: Tensor) -> Tensor:
    return (hidden_CD.to(head_VD.dtype) @ head_VD.T).float()


def _from_targets(logits_CV: Tensor, targets_C1: Tensor) -> tuple[Tensor, Tensor]:
    """Losses, and their gradients by the logits."""
    shares_CV, total_C1 = _softmax(logits_CV)
    losses_C = (total_C1 - logits_CV.gather(1, targets_C1)).squeeze(1)
    return losses_C, shares_CV.scatter_add_(1, targets_C1, -torch.ones_like(total_C1))


def _from_base(logits_CV: Tensor, base_CV: Tensor) -> tuple[Tensor, Tensor]:
    """Likewise."""
    shares_CV, total_C1 = _softmax(logits_CV)
    base_shares_CV, base_total_C1 = _softmax(base_CV)
    change_C = (base_shares_CV * base_CV.sub_(logits_CV)).sum(dim=-1)
    return change_C + (total_C1 - base_total_C1).squeeze(1), shares_CV.sub_(base_shares_CV)


def _softmax(logits_CV: Tensor) -> tuple[Tensor, Tensor]:
    """Shares, and the logarithm of what they were divided by.

    `logsumexp` would be a pass of its own, ten times as long where logits lie far apart.
    """
    shares_CV = logits_CV.softmax(dim=-1)
    most_C1, where_C1 = logits_CV.max(dim=-1, keepdim=True)
    return shares_CV, most_C1 - shares_CV.gather(1, where_C1).log()
