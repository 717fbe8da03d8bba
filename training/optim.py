"""The optimisers, AdamW and SGD with momentum: one for each part that is trained, at a pace of its own.

optimisers = Optimisers({"lora": adapter, "decoder": decoder}, {"lora": Pace(lr=5e-4), "decoder": Pace()})
optimisers.clear()
optimisers.step("lora", factor=0.5)      # clip, then one step at half the rate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dialog.values import Value
from training.methods.method import decayed
from training.schedule import Decay

Optimiser = Literal["adamw", "sgd"]
BETAS = (0.9, 0.98)
"""Batches of dialogues are small: a second moment that forgets in 50 steps follows them better."""
MOMENTUM = 0.9


class Pace(Value):
    """How one part is trained; see `dialog.settings.TrainingSection`."""

    lr: float = 2e-3
    optimiser: Optimiser = "adamw"
    weight_decay: float = 0.01
    clip: float = 1.0
    decay: Decay = "cosine"
    warmup: float = 0.05


class Optimisers:
    """An optimiser a part; parts share no parameters.

    Attributes:
        parameters: those that are trained, by part.
    """

    def __init__(self, parts: Mapping[str, nn.Module], paces: Mapping[str, Pace]) -> None:
        self._paces = paces
        self._optimisers: dict[str, torch.optim.Optimizer] = {}
        self.parameters: dict[str, list[nn.Parameter]] = {}
        for name, module in parts.items():
            groups = decayed(module, paces[name].weight_decay)
            self.parameters[name] = [one for group in groups for one in group["params"]]
            self._optimisers[name] = make_optimiser(paces[name].optimiser, groups, lr=paces[name].lr)

    @classmethod
    def around(cls, optimiser: torch.optim.Optimizer) -> Optimisers:
        """One that is stepped by others, to be kept and restored."""
        kept = cls({}, {})
        kept._optimisers["all"] = optimiser
        return kept

    def clear(self) -> None:
        """Forget all gradients, also those of parts that do not learn in a step."""
        for optimiser in self._optimisers.values():
            optimiser.zero_grad(set_to_none=True)

    def step(self, part: str, *, factor: float) -> None:
        """Clip the part's gradients and make one step at `factor` of its rate."""
        optimiser, pace = self._optimisers[part], self._paces[part]
        for group in optimiser.param_groups:
            group["lr"] = pace.lr * factor
        torch.nn.utils.clip_grad_norm_(self.parameters[part], pace.clip)
        optimiser.step()

    def tensors(self) -> dict[str, Tensor]:
        """A copy of what they remember, by part, parameter and name."""
        return {
            f"{part}/{index}.{name}": torch.as_tensor(value).detach().clone()
            for part, optimiser in self._optimisers.items()
            for index, state in optimiser.state_dict()["state"].items()
            for name, value in state.items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """What `tensors` gave. Raises KeyError or ValueError if it is of other parts."""
        states: dict[str, dict[int, dict[str, Tensor]]] = {part: {} for part in self._optimisers}
        for key, tensor in tensors.items():
            part, _, rest = key.partition("/")
            index, _, name = rest.partition(".")
            states[part].setdefault(int(index), {})[name] = tensor
        for part, optimiser in self._optimisers.items():
            optimiser.load_state_dict({**optimiser.state_dict(), "state": states[part]})


def make_optimiser(name: Optimiser, groups: Sequence[dict[str, Any]], *, lr: float) -> torch.optim.Optimizer:
    """The optimiser over parameter groups; AdamW in one fused kernel."""
    match name:
        case "adamw":
            return torch.optim.AdamW(groups, lr=lr, betas=BETAS, fused=True)
        case "sgd":
            return torch.optim.SGD(groups, lr=lr, momentum=MOMENTUM)
