"""The optimisers: AdamW and SGD with momentum.

optimiser = make_optimiser("adamw", [{"params": parameters, "weight_decay": 0.01}], lr=2e-3)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch

Optimiser = Literal["adamw", "sgd"]
BETAS = (0.9, 0.98)
"""Batches of dialogues are small: a second moment that forgets in 50 steps follows them better."""
MOMENTUM = 0.9


def make_optimiser(name: Optimiser, groups: Sequence[dict[str, Any]], *, lr: float) -> torch.optim.Optimizer:
    """The optimiser over parameter groups; AdamW in one fused kernel."""
    match name:
        case "adamw":
            return torch.optim.AdamW(groups, lr=lr, betas=BETAS, fused=True)
        case "sgd":
            return torch.optim.SGD(groups, lr=lr, momentum=MOMENTUM)
