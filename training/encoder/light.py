"""The light head: a logistic regression on the encoder's vectors, fitted in seconds.

    weight_LD, bias_L = fit_head(features_ND, targets_N, num_labels=77, decay=1e-4)

Legend: N texts, D features, L labels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

_STEPS = 60


def fit_head(
    features_ND: Tensor, targets_N: Tensor, *, num_labels: int, decay: float
) -> tuple[Tensor, Tensor]:
    """Weights (L, D) and biases (L,) of least cross-entropy plus half of `decay` times the squared weights.

    The problem is convex: where L-BFGS ends does not depend on where it begins.
    """
    weight_LD = torch.zeros(num_labels, features_ND.shape[1], requires_grad=True)
    bias_L = torch.zeros(num_labels, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weight_LD, bias_L], max_iter=_STEPS, tolerance_grad=1e-6, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(F.linear(features_ND, weight_LD, bias_L), targets_N)
        value = value + 0.5 * decay * weight_LD.square().sum()
        torch.autograd.backward(value)
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]  # torch leaves it without types
    return weight_LD.detach(), bias_L.detach()


def best_decay(
    features_ND: Tensor,
    targets_N: Tensor,
    held_ND: Tensor,
    held_targets_N: Tensor,
    *,
    num_labels: int,
    decays: tuple[float, ...] = (1e-3, 1e-4, 1e-5),
) -> float:
    """The decay whose head has the least cross-entropy on what was held out."""

    def loss(decay: float) -> float:
        weight_LD, bias_L = fit_head(features_ND, targets_N, num_labels=num_labels, decay=decay)
        return float(F.cross_entropy(F.linear(held_ND, weight_LD, bias_L), held_targets_N))

    return min(decays, key=loss)
