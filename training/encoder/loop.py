"""The loop that trains a labeller's upper layers and head: epochs, averaged weights, checkpoints.

What the frozen layers make of each text is computed once, kept in memory in
half the bytes, and read in every epoch. Order and dropout follow from seed and
epoch, so a run that was stopped ends as it would have (bit for bit, on a CPU).

    loop = Loop(network, options, num_texts=len(ids))
    for epoch in loop.epochs(Texts(ids, targets), on_step=print): ...

Legend: B texts, L labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from dialog.encoder.base import compute_dtype
from dialog.encoder.labeller import by_length
from dialog.encoder.network import LabelNetwork
from training.encoder.options import LabelOptions
from training.optim import make_optimiser
from training.schedule import Schedule

OnStep = Callable[[int, int, float], None]
_SORTED_BATCHES = 16
"""Batches are of like length among so many that were drawn together: order stays random, padding small."""
_BELOW_TOKENS = 4096


@dataclass(frozen=True)
class Texts:
    """Pieces and the number of the label of each text."""

    ids: Sequence[Sequence[int]]
    targets: Tensor


class Loop:
    """See the module. `epoch` counts those done.

    Attributes:
        averaged: the moving average of what is trained, by name; what is evaluated and kept.
    """

    def __init__(self, network: LabelNetwork, options: LabelOptions, *, num_texts: int) -> None:
        self.network, self.options, self.epoch = network, options, 0
        self._per_epoch = math.ceil(num_texts / options.batch)
        self.num_steps = options.epochs * self._per_epoch
        trained = {name: one for name, one in network.named_parameters() if one.requires_grad}
        head = [one for name, one in trained.items() if name.startswith("head.")]
        layers = [one for name, one in trained.items() if not name.startswith("head.")]
        self.optimiser = make_optimiser(
            "adamw",
            [{"params": layers, "weight_decay": options.weight_decay}, {"params": head}],
            lr=options.lr,
        )
        self._rates = (options.lr, options.lr * options.head_lr)
        self._trained: list[Tensor] = list(trained.values())
        self.averaged = {name: one.detach().clone() for name, one in trained.items()}

    def epochs(self, texts: Texts, *, on_step: OnStep | None = None) -> Iterator[float]:
        """Train; the mean loss of each epoch as it ends. Those that were done are passed over."""
        below = frozen_states(self.network, texts.ids)
        warmup_steps = int(self.options.warmup * self.num_steps)
        schedule = Schedule("cosine", num_steps=self.num_steps, warmup_steps=warmup_steps)
        while self.epoch < self.options.epochs:
            torch.manual_seed(self.options.seed * 1_000_003 + self.epoch)
            self.network.train()
            total, step = 0.0, self.epoch * self._per_epoch
            for rows in self._batches([len(one) for one in below]):
                loss = self._step([below[row] for row in rows], texts.targets[rows], step, schedule(step))
                step, total = step + 1, total + loss * len(rows)
                if on_step is not None:
                    on_step(step, self.num_steps, loss)
            self.epoch += 1
            yield total / len(below)

    @property
    def module(self) -> LabelNetwork:
        return self.network

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint keeps besides the weights."""
        return dict(self.averaged)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Raises KeyError: the state is of another network."""
        for name, one in self.averaged.items():
            one.copy_(state[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The network has the averaged weights inside."""
        before = [one.detach().clone() for one in self._trained]
        self.settle()
        try:
            yield
        finally:
            self._set(before)

    def settle(self) -> None:
        """The network has the averaged weights from now on."""
        self._set(list(self.averaged.values()))

    @torch.no_grad()
    def _set(self, values: Sequence[Tensor]) -> None:
        for parameter, value in zip(self._trained, values, strict=True):
            parameter.copy_(value)

    def _step(self, below: Sequence[Tensor], targets_B: Tensor, step: int, factor: float) -> float:
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        dtype = compute_dtype()
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            pooled_BD = self.network.pooled(below)
        logits_BL = self.network.logits(F.dropout(pooled_BD, self.options.dropout))
        loss = F.cross_entropy(logits_BL, targets_B, label_smoothing=self.options.smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._trained, self.options.clip)
        self.optimiser.step()
        self._average(step)
        return float(loss.detach())

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """A memory that grows with the steps: the beginning is forgotten soon, whatever the run's length."""
        memory = min(self.options.averaging, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.averaged.values()), self._trained, 1 - memory)

    def _batches(self, lengths: Sequence[int]) -> list[list[int]]:
        draw = Random(f"{self.options.seed} {self.epoch}")
        order = list(range(len(lengths)))
        draw.shuffle(order)
        size, together = self.options.batch, self.options.batch * _SORTED_BATCHES
        batches = []
        for start in range(0, len(order), together):
            rows = sorted(order[start : start + together], key=lambda row: lengths[row])
            batches += [rows[at : at + size] for at in range(0, len(rows), size)]
        draw.shuffle(batches)
        return batches


def frozen_states(network: LabelNetwork, ids: Sequence[Sequence[int]]) -> list[Tensor]:
    """What the frozen layers make of each text, (T, D), in `compute_dtype()`."""
    dtype = compute_dtype()
    states: list[Tensor] = [torch.empty(0)] * len(ids)
    with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        for rows in by_length([len(one) for one in ids], max_tokens=_BELOW_TOKENS):
            for row, state in zip(rows, network.below([ids[row] for row in rows]), strict=True):
                states[row] = state.to(dtype).clone()
    return states
