"""The loop: steps over batches, rates, clipping, evaluation; it knows no model and no file.

    run = Run(method, RunOptions(epochs=3, lr=2e-3))
    for report in run.reports(train, valid):        # the caller stops when it has enough
        print(report.step, report.train_loss, report.valid_loss)

Losses are sums over a whole step divided by its supervised tokens, however
many batches and processes it was read in: accumulating changes nothing but
memory. Order of data and dropout follow from seed and step, so a run goes on
from a checkpoint bit for bit (on a CPU).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

import torch
from pydantic import Field
from torch import Tensor

from dialog.values import Value
from training.batching import batches
from training.evaluation import losses_of, mean_loss
from training.examples import Example
from training.methods.method import Batch, Method, Parted
from training.optim import Optimisers, Pace
from training.ranks import ALONE, Ranks
from training.schedule import Schedule

OnStep = Callable[[int, int, float], None]
_APART = 2**40
"""Between the seeds of two processes: their dropout must not be the same."""


class RunOptions(Pace):
    """How to train; see `dialog.settings.TrainingSection`. `paces` are those of parts that have their own."""

    epochs: int = 5
    batch_tokens: int = 4096
    accumulate: int = 1
    evaluate_every: int = 0
    seed: int = 0
    paces: dict[str, Pace] = Field(default_factory=dict)


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
    """One training run. `step` counts optimiser steps so far; `ranks` are the processes it is shared by."""

    def __init__(self, method: Method, options: RunOptions, *, ranks: Ranks = ALONE) -> None:
        self.method = method
        self.options = options
        self.step = 0
        parts = method.parts if isinstance(method, Parted) else {method.name: method.module}
        self._paces = {name: options.paces.get(name, options) for name in parts}
        self.optimiser = Optimisers(parts, self._paces)
        self._ranks = ranks

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
        factors = self._factors(len(steps))
        sums = _Sums()
        for groups in steps[self.step :]:
            torch.manual_seed(self.options.seed * 1_000_003 + self.step + _APART * self._ranks.number)
            mine = self._ranks.share(groups)
            loss = self._train([[train[at] for at in group] for group in mine], factors[self.step], sums)
            self.method.after_step(self.step)
            self.step += 1
            if on_step is not None:
                on_step(self.step, len(steps), loss)
            if self.step in stops:
                yield self._report(sums, ends, valid)
                sums = _Sums()

    def loss_on(self, examples: Sequence[Example]) -> float:
        """Cross-entropy per supervised token; the same for any batch size."""
        return mean_loss(self.losses_on(examples))

    def losses_on(self, examples: Sequence[Example]) -> list[tuple[float, float]]:
        """See `losses_of`; every process reads its share."""
        return losses_of(self.method, examples, batch_tokens=self.options.batch_tokens, ranks=self._ranks)

    def _factors(self, num_steps: int) -> list[dict[str, float]]:
        """Of each step the parts that learn in it, each with its share of its rate."""
        learning = [self._learning(step) for step in range(num_steps)]
        found: list[dict[str, float]] = [{} for _ in learning]
        for part, pace in self._paces.items():
            own = [step for step, parts in enumerate(learning) if part in parts]
            schedule = Schedule(pace.decay, num_steps=len(own), warmup_steps=int(pace.warmup * len(own)))
            for number, step in enumerate(own):
                found[step][part] = schedule(number)
        return found

    def _learning(self, step: int) -> Collection[str]:
        return self.method.learning(step) if isinstance(self.method, Parted) else self._paces

    def _train(self, groups: Sequence[Sequence[Example]], factors: dict[str, float], sums: _Sums) -> float:
        """One step; the loss of all its tokens."""
        if isinstance(self.method, Parted):
            self.method.begin_step(self.step)
        batches = [self.method.batch(group) for group in groups]
        weight, nums = self._counted(batches)
        self.optimiser.clear()
        self.method.module.train()
        total = 0.0
        for batch in batches:
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
        for part, factor in factors.items():
            self._ranks.sum_gradients(self.optimiser.parameters[part])
            self.optimiser.step(part, factor=factor)
        return self._ranks.sum([total])[0] / max(weight, 1e-9)

    def _counted(self, batches: Sequence[Batch]) -> tuple[float, list[float]]:
        """Supervised tokens of a whole step, and what its further terms are means over, of all processes."""
        nums = [0.0] * len(self.method.besides)
        for batch in batches:
            nums = [before + more for before, more in zip(nums, batch.num_besides, strict=True)]
        weight, *nums = self._ranks.sum([sum(batch.weight for batch in batches), *nums])
        return weight, nums

    def _report(self, sums: _Sums, ends: Sequence[int], valid: Sequence[Example]) -> Report:
        done = next(number for number, end in enumerate(ends) if self.step <= end)
        begun = ends[done - 1] if done else 0
        size = len(self.method.besides)
        besides, num_besides = (one or (0.0,) * size for one in (sums.besides, sums.num_besides))
        loss, weight, *rest = self._ranks.sum([sums.loss, sums.weight, *besides, *num_besides])
        named = zip(self.method.besides, rest[:size], rest[size:], strict=True)
        return Report(
            step=self.step,
            epoch=done + (self.step - begun) / (ends[done] - begun),
            train_loss=loss / max(weight, 1e-9),
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
