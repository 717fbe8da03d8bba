"""How the learning rate goes over a run: warm-up, then constant, linear or cosine.

rate = Schedule("cosine", num_steps=1000, warmup_steps=50)
rate(0), rate(50), rate(1000)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Decay = Literal["constant", "linear", "cosine"]


@dataclass(frozen=True)
class Schedule:
    """A factor in [0, 1] for each step: linear over the warm-up, then down to `floor` at `num_steps`."""

    decay: Decay
    num_steps: int
    warmup_steps: int
    floor: float = 0.0

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        done = min(1.0, (step - self.warmup_steps) / max(1, self.num_steps - self.warmup_steps))
        match self.decay:
            case "constant":
                left = 1.0
            case "linear":
                left = 1.0 - done
            case "cosine":
                left = 0.5 * (1.0 + math.cos(math.pi * done))
        return self.floor + (1.0 - self.floor) * left
