"""The seam between ways of tuning and the loop that runs them.

    batch = method.batch(examples)
    losses = method.losses(batch)          # per token, with gradients to `method.module`

A method says what is trained, what a batch costs and how the result is saved;
the loop (`training.run`) knows steps, rates and checkpoints and nothing of models.

Legend: B examples, T tokens, Q supervised positions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from training.examples import Example

IGNORED = -100


@dataclass(frozen=True)
class Batch:
    """Padded examples on one device; Q are the positions that predict a supervised token.

    Attributes:
        visible_BT: False for padding.
        targets_BQ: the ids to predict, `IGNORED` where there are fewer than Q.
        num_besides: of each further term of the loss, how many tokens it is a mean over.
        inputs: what else the method needs.
    """

    ids_BT: Tensor
    visible_BT: Tensor
    positions_BQ: Tensor
    targets_BQ: Tensor
    weights_BQ: Tensor
    num_besides: tuple[float, ...] = ()
    inputs: Any = None

    @property
    def weight(self) -> float:
        return float(self.weights_BQ.sum())


@dataclass(frozen=True)
class Losses:
    """Cross-entropy of each target (0 where there is none), and the sums of the method's further terms."""

    tokens_BQ: Tensor
    besides: tuple[Tensor, ...] = ()


class Method(Protocol):
    """One way of tuning. Parameters of `module` that require gradients are trained, no others."""

    @property
    def name(self) -> str: ...

    @property
    def module(self) -> nn.Module: ...

    @property
    def besides(self) -> tuple[tuple[str, float], ...]:
        """Names and weights of terms of the loss besides cross-entropy."""
        ...

    def batch(self, examples: Sequence[Example]) -> Batch: ...

    def losses(self, batch: Batch) -> Losses: ...

    def as_base(self) -> AbstractContextManager[None]:
        """Within, and before the first step, losses are those of the model as it was."""
        ...

    def after_step(self, step: int) -> None:
        """Called when step number `step` (from 0) is done, gradients still there."""
        ...

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint must hold besides trained parameters and the optimiser."""
        ...

    def restore(self, state: dict[str, Tensor]) -> None: ...

    def save(self, folder: Path) -> None:
        """Write what serving needs; each file whole or not at all."""
        ...


@runtime_checkable
class Parted(Method, Protocol):
    """A method whose parts have optimisers, schedules and clips of their own, and may take turns."""

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """By name; together they hold all that is trained."""
        ...

    def learning(self, step: int) -> Collection[str]:
        """The parts that step number `step` (from 0) changes."""
        ...

    def begin_step(self, step: int) -> None:
        """Called before its batches are made: other parts need no gradients."""
        ...


def padded(
    examples: Sequence[Example],
    *,
    device: torch.device,
    num_besides: tuple[float, ...] = (),
    inputs: Any = None,
) -> Batch:
    """Padding is hidden by length, never by id: some models pad with the token that ends a reply."""
    targets = [[at for at, weight in enumerate(one.weights) if weight > 0] for one in examples]
    pairs = list(zip(examples, targets, strict=True))
    return Batch(
        ids_BT=rows([one.ids for one in examples], 0, torch.long, device),
        visible_BT=rows([[1] * len(one.ids) for one in examples], 0, torch.bool, device),
        positions_BQ=rows([[at - 1 for at in one] for one in targets], 0, torch.long, device),
        targets_BQ=rows([[one.ids[at] for at in where] for one, where in pairs], IGNORED, torch.long, device),
        weights_BQ=rows(
            [[one.weights[at] for at in where] for one, where in pairs], 0.0, torch.float32, device
        ),
        num_besides=num_besides,
        inputs=inputs,
    )


def rows(values: Sequence[Sequence[float]], fill: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """One row each, filled up to the longest."""
    longest = max(map(len, values))
    filled = [[*one, *([fill] * (longest - len(one)))] for one in values]
    return torch.tensor(filled, dtype=dtype, device=device)


def decayed(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Trained parameters in groups for an optimiser: norms, biases and single vectors are not decayed."""
    trained = [one for one in module.parameters() if one.requires_grad]
    matrices = [one for one in trained if one.dim() > 1]
    others = [one for one in trained if one.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
