"""What is fitted on held-out texts: the temperature, and what tells texts of no label.

    temperature = fit_temperature(logits_NL, targets_N)
    scope = fit_scope(signs(inside), signs(outside), is_right, most_lost=0.01)

Legend: N texts, L labels, 3 signs (`dialog.encoder.scope`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from dialog.encoder.scope import NUM_SIGNS, Scope

_DECAY = 1e-3
_GRID = 61


def fit_temperature(logits_NL: Tensor, targets_N: Tensor) -> float:
    """Of least cross-entropy, between 0.1 and 10. Source: Guo et al. (2017), "On Calibration"."""
    grid = torch.logspace(-1, 1, _GRID)
    losses = torch.stack([F.cross_entropy(logits_NL / one, targets_N) for one in grid])
    return float(grid[losses.argmin()])


def fit_scope(inside_N3: Tensor, outside_M3: Tensor, is_right_N: Tensor, *, most_lost: float) -> Scope:
    """Weights that tell inside from outside, both kinds weighing alike, and the threshold.

    Args:
        inside_N3, outside_M3: signs of held-out texts that have a label, and of those that have none.
        is_right_N: which of the inside were labelled right; losing the others costs nothing.
        most_lost: the threshold refuses as many of the outside as this loss of accuracy allows.
    """
    signs_3 = torch.cat([inside_N3, outside_M3]).double()
    mean_3, spread_3 = signs_3.mean(dim=0), signs_3.std(dim=0).clamp(min=1e-6)
    is_inside = torch.cat([torch.ones(len(inside_N3)), torch.zeros(len(outside_M3))]).double()
    weights = torch.where(is_inside > 0, 0.5 / len(inside_N3), 0.5 / len(outside_M3))
    parameters = torch.zeros(NUM_SIGNS + 1, dtype=torch.float64, requires_grad=True)
    scaled_3 = (signs_3 - mean_3) / spread_3
    optimiser = torch.optim.LBFGS([parameters], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        margins = scaled_3 @ parameters[:NUM_SIGNS] + parameters[NUM_SIGNS]
        losses = F.binary_cross_entropy_with_logits(margins, is_inside, reduction="none")
        value = (weights * losses).sum() + _DECAY * parameters[:NUM_SIGNS].square().sum()
        torch.autograd.backward(value)
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]  # torch leaves it without types
    found = parameters.detach()
    unscaled = found[:NUM_SIGNS] / spread_3
    bias = float(found[NUM_SIGNS] - (unscaled * mean_3).sum())
    first, second, third = unscaled.tolist()
    scope = Scope(weights=(first, second, third), bias=bias, threshold=0.0)
    threshold = _threshold(
        scope.probabilities(inside_N3.double()),
        scope.probabilities(outside_M3.double()),
        is_right_N,
        most_lost=most_lost,
    )
    return scope.model_copy(update={"threshold": threshold})


def _threshold(inside_N: Tensor, outside_M: Tensor, is_right_N: Tensor, *, most_lost: float) -> float:
    """Midway (in log-odds) between the inside that must be kept and the next of the outside below it.

    As many of the outside as can be are refused, and where the two lie apart neither is crowded.
    """
    right = inside_N[is_right_N].sort().values
    if not len(right):
        return 0.0
    kept = right[min(int(most_lost * len(inside_N)), len(right) - 1)]
    below = outside_M[outside_M < kept]
    if not len(below):
        return float(kept)
    pair = torch.stack([kept, below.amax()]).clamp(1e-9, 1 - 1e-9)
    return float(torch.sigmoid(torch.logit(pair).mean()))
