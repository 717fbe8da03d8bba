"""The loop: steps over batches, rates, clipping, evaluation; it knows no model and no file.

    run = Run(method, RunOptions(epochs=3, lr=2e-3))
    for report in run.reports(train, valid):        # the caller stops when it has enough
        print(report.step, report.train_loss, report.valid_loss)

Losses are sums over a whole step divided by its supervised tokens, however
many batches it was read in: accumulating changes nothing but memory. Order of
data and dropout follow from seed and step, so a run goes on from a checkpoint
bit for bit (on a CPU).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import torch
from pydantic import Field
from torch import Tensor

from dialog.values import Value
from training.batching import batches
from training.evaluation import losses_of, mean_loss
from training.examples import Example
from training.methods.method import Batch, Method, decayed
from training.optim import Optimiser, make_optimiser
from training.schedule import Decay, Schedule

OnStep = Callable[[int, int, float], None]


class RunOptions(Value):
    """How to train; see `dialog.settings.TrainingSection`."""

    epochs: int = 5
    lr: float = 2e-3
    optimiser: Optimiser = "adamw"
    weight_decay: float = 0.01
    clip: float = 1.0
    decay: Decay = "cosine"
    warmup: float = 0.05
    batch_tokens: int = 4096
    accumulate: int = 1
    evaluate_every: int = 0
    seed: int = 0


class Report(Value):
    """Where a run stands; losses are cross-entropy per supervised token, in nats.

    Attributes:
        step: optimiser steps done.
        epoch: epochs done, a fraction within one.
        train_loss: since the report before.
        besides: the method's further terms, likewise.
    """

    step: int
    epoch: float
    train_loss: float
    besides: dict[str, float] = Field(default_factory=dict)
    valid_loss: float | None = None


@dataclass
class _Sums:
    """What was measured since the last report."""

    loss: float = 0.0
    weight: float = 0.0
    besides: tuple[float, ...] = ()
    num_besides: tuple[float, ...] = ()

    def add(self, loss: float, weight: float, besides: Sequence[float], num_besides: Sequence[float]) -> None:
        self.loss, self.weight = self.loss + loss, self.weight + weight
        self.besides = _plus(self.besides, besides)
        self.num_besides = _plus(self.num_besides, num_besides)


class Run:
    """One training run. `step` counts optimiser steps so far."""

    def __init__(self, method: Method, options: RunOptions) -> None:
        self.method = method
        self.options = options
        self.step = 0
        groups = decayed(method.module, options.weight_decay)
        self.optimiser = make_optimiser(options.optimiser, groups, lr=options.lr)
        self._parameters = [one for group in groups for one in group["params"]]

    def reports(
        self, train: Sequence[Example], valid: Sequence[Example] = (), *, on_step: OnStep | None = None
    ) -> Iterator[Report]:
        """Train; a report after each epoch, or each `evaluate_every` steps and at the end.

        Steps that `step` says were done are passed over, so a run goes on from a checkpoint.

        Args:
            on_step: called with the step, the number of steps in all, and the step's loss.
        """
        plan = _plan(self.options, [len(one.ids) for one in train])
        ends = list(accumulate(map(len, plan)))
        steps = list(chain.from_iterable(plan))
        every = self.options.evaluate_every
        stops = {*range(every, len(steps), every), len(steps)} if every else set(ends)
        schedule = Schedule(
            self.options.decay, num_steps=len(steps), warmup_steps=int(self.options.warmup * len(steps))
        )
        sums = _Sums()
        for groups in steps[self.step :]:
            torch.manual_seed(self.options.seed * 1_000_003 + self.step)
            step_batches = [self.method.batch([train[at] for at in group]) for group in groups]
            loss = self._train(step_batches, schedule(self.step), sums)
            self.method.after_step(self.step)
            self.step += 1
            if on_step is not None:
                on_step(self.step, len(steps), loss)
            if self.step in stops:
                yield self._report(sums, ends, valid)
                sums = _Sums()

    def loss_on(self, examples: Sequence[Example]) -> float:
        """Cross-entropy per supervised token; the same for any batch size."""
        return mean_loss(losses_of(self.method, examples, batch_tokens=self.options.batch_tokens))

    def _train(self, step_batches: Sequence[Batch], factor: float, sums: _Sums) -> float:
        weight = sum(batch.weight for batch in step_batches)
        nums = tuple(map(sum, zip(*(batch.num_besides for batch in step_batches), strict=True)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.lr * factor
        self.optimiser.zero_grad(set_to_none=True)
        self.method.module.train()
        total = 0.0
        for batch in step_batches:
            losses = self.method.losses(batch)
            cross_entropy = (losses.tokens_BQ * batch.weights_BQ).sum()
            loss: Tensor = cross_entropy / max(weight, 1e-9)
            terms = zip(self.method.besides, losses.besides, nums, strict=True)
            for (_, share), term, number in terms:
                loss = loss + share * term / max(number, 1.0)
            torch.autograd.backward(loss)
            besides = [float(term.detach()) for term in losses.besides]
            sums.add(float(cross_entropy.detach()), batch.weight, besides, batch.num_besides)
            total += float(cross_entropy.detach())
        torch.nn.utils.clip_grad_norm_(self._parameters, self.options.clip)
        self.optimiser.step()
        return total / max(weight, 1e-9)

    def _report(self, sums: _Sums, ends: Sequence[int], valid: Sequence[Example]) -> Report:
        done = next(number for number, end in enumerate(ends) if self.step <= end)
        begun = ends[done - 1] if done else 0
        named = zip(self.method.besides, sums.besides, sums.num_besides, strict=True)
        return Report(
            step=self.step,
            epoch=done + (self.step - begun) / (ends[done] - begun),
            train_loss=sums.loss / max(sums.weight, 1e-9),
            besides={name: total / max(number, 1.0) for (name, _), total, number in named},
            valid_loss=self.loss_on(valid) if valid else None,
        )


def planned_steps(options: RunOptions, lengths: Sequence[int]) -> int:
    """How many steps a run over examples of these lengths has."""
    return sum(map(len, _plan(options, lengths)))


def _plan(options: RunOptions, lengths: Sequence[int]) -> list[list[list[list[int]]]]:
    """Of each epoch its steps, of each step its batches, of each batch its examples."""
    plan = []
    for epoch in range(options.epochs):
        of_epoch = list(batches(lengths, max_tokens=options.batch_tokens, seed=options.seed, epoch=epoch))
        starts = range(0, len(of_epoch), options.accumulate)
        plan.append([of_epoch[start : start + options.accumulate] for start in starts])
    return plan


def _plus(some: Sequence[float], more: Sequence[float]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(some, more, strict=True)) if some else tuple(more)
