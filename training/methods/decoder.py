"""Training the instruction decoder on features of the frozen model.

Only the decoder has gradients; the model's head is read, never changed. The
loss is cross-entropy per supervised token, and the evidence loss that makes
attention an explanation (`dialog.decoder.loss`).

    run = DecoderRun(decoder, cache, head_VD=model.get_output_embeddings().weight, options=DecoderOptions())
    for report in run.epochs(train, valid): print(report.train_loss, report.valid_loss)

Legend: B examples, T tokens, Q supervised positions, K taps, D hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from dialog.decoder.config import KINDS
from dialog.decoder.loss import IGNORED, evidence_loss
from dialog.decoder.module import InstructionDecoder
from dialog.values import Value
from training.batching import batches
from training.examples import Example
from training.features import FeatureCache
from training.schedule import Decay, Schedule

_EVIDENCE_KINDS = ("instruction", "user", "agent", "passage", "memory", "tool")


class DecoderOptions(Value):
    """How a decoder is trained; the defaults suit a model of 135 million parameters."""

    epochs: int = 5
    lr: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    clip: float = 1.0
    decay: Decay = "cosine"
    warmup: float = 0.05
    evidence: float = 0.5
    batch_tokens: int = 4096
    seed: int = 0


class EpochReport(Value):
    """What an epoch came to; losses are cross-entropy per supervised token, in nats."""

    epoch: int
    steps: int
    train_loss: float
    evidence_loss: float
    valid_loss: float | None = None


@dataclass(frozen=True)
class Batch:
    """Padded examples on one device; Q are the positions that predict a supervised token."""

    taps_BTKD: Tensor
    ids_BT: Tensor
    kinds_BT: Tensor
    visible_BT: Tensor
    evidence_BT: Tensor
    positions_BQ: Tensor
    targets_BQ: Tensor
    weights_BQ: Tensor


class DecoderRun:
    """One training run. `step` counts optimiser steps so far."""

    def __init__(
        self,
        decoder: InstructionDecoder,
        cache: FeatureCache,
        *,
        head_VD: Tensor,
        options: DecoderOptions,
    ) -> None:
        self.decoder = decoder
        self.options = options
        self.step = 0
        self._cache = cache
        self._head_VD = head_VD.detach()
        self.optimiser = torch.optim.AdamW(
            _groups(decoder, options.weight_decay), lr=options.lr, betas=options.betas
        )

    def epochs(
        self,
        train: Sequence[Example],
        valid: Sequence[Example] = (),
        *,
        on_step: Callable[[int, int, float], None] | None = None,
    ) -> Iterator[EpochReport]:
        """Train epoch by epoch; the caller stops when it has enough.

        Steps that `step` says were done are passed over, so a run goes on from a checkpoint.

        Args:
            on_step: called with the step, the number of steps in all, and the step's loss.
        """
        lengths = [len(one.ids) for one in train]
        plan = [
            list(batches(lengths, max_tokens=self.options.batch_tokens, seed=self.options.seed, epoch=epoch))
            for epoch in range(self.options.epochs)
        ]
        num_steps = sum(map(len, plan))
        schedule = Schedule(
            self.options.decay, num_steps=num_steps, warmup_steps=int(self.options.warmup * num_steps)
        )
        ends = list(accumulate(map(len, plan)))
        for epoch, groups in enumerate(plan):
            if self.step >= ends[epoch]:
                continue
            sums = [0.0, 0.0, 0.0]
            for group in groups[self.step - ends[epoch] :]:
                batch = self._batch([train[at] for at in group])
                torch.manual_seed(self.options.seed * 1_000_003 + self.step)
                losses = self._train(batch, schedule(self.step))
                num_tokens = float(batch.weights_BQ.sum())
                sums = [total + value * num_tokens for total, value in zip(sums, (*losses, 1.0), strict=True)]
                self.step += 1
                if on_step is not None:
                    on_step(self.step, num_steps, losses[0])
            yield EpochReport(
                epoch=epoch,
                steps=self.step,
                train_loss=sums[0] / max(sums[2], 1.0),
                evidence_loss=sums[1] / max(sums[2], 1.0),
                valid_loss=self.loss_on(valid) if valid else None,
            )

    @torch.no_grad()
    def loss_on(self, examples: Sequence[Example]) -> float:
        """Cross-entropy per supervised token; the same for any batch size."""
        self.decoder.eval()
        total, num_tokens = 0.0, 0.0
        lengths = [len(one.ids) for one in examples]
        for group in batches(lengths, max_tokens=self.options.batch_tokens, seed=0, epoch=0):
            batch = self._batch([examples[at] for at in group])
            weight = float(batch.weights_BQ.sum())
            total += float(self._losses(batch)[0]) * weight
            num_tokens += weight
        return total / max(num_tokens, 1.0)

    def _train(self, batch: Batch, factor: float) -> tuple[float, float]:
        self.decoder.train()
        loss, evidence = self._losses(batch)
        for group in self.optimiser.param_groups:
            group["lr"] = self.options.lr * factor
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss + self.options.evidence * evidence)
        torch.nn.utils.clip_grad_norm_(self.decoder.parameters(), self.options.clip)
        self.optimiser.step()
        return float(loss.detach()), float(evidence.detach())

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        memory = self.decoder.read(batch.taps_BTKD, batch.ids_BT, batch.kinds_BT)
        rows_B1 = torch.arange(len(batch.ids_BT), device=batch.ids_BT.device)[:, None]
        taps_BQKD = batch.taps_BTKD[rows_B1, batch.positions_BQ]
        look = self.decoder.look(taps_BQKD, batch.positions_BQ, memory, visible_BT=batch.visible_BT)
        logits_BQV = self.decoder.logits(taps_BQKD[..., -1, :], look, memory, self._head_VD)
        per_token = F.cross_entropy(
            logits_BQV.flatten(0, 1), batch.targets_BQ.flatten(), reduction="none", ignore_index=IGNORED
        )
        loss = (per_token * batch.weights_BQ.flatten()).sum() / batch.weights_BQ.sum().clamp_min(1e-9)
        evidence = evidence_loss(look, memory, batch.targets_BQ, batch.positions_BQ, batch.evidence_BT)
        return loss, evidence

    def _batch(self, examples: Sequence[Example]) -> Batch:
        """Padding is hidden by length, never by id: some models pad with the token that ends a reply."""
        device = self._head_VD.device
        longest = max(len(one.ids) for one in examples)
        targets = [[at for at, weight in enumerate(one.weights) if weight > 0] for one in examples]
        most = max(len(one) for one in targets)
        pad = torch.nn.utils.rnn.pad_sequence
        taps_BTKD = pad([self._cache.taps(one) for one in examples], batch_first=True).to(device)
        kinds = [_kinds(one) for one in examples]

        def rows(values: Sequence[Sequence[float]], length: int, fill: float, dtype: torch.dtype) -> Tensor:
            padded = [[*one, *([fill] * (length - len(one)))] for one in values]
            return torch.tensor(padded, dtype=dtype, device=device)

        evidence = [[float(KINDS[kind] in _EVIDENCE_KINDS) for kind in one] for one in kinds]
        return Batch(
            taps_BTKD=taps_BTKD,
            ids_BT=rows([one.ids for one in examples], longest, 0, torch.long),
            kinds_BT=rows(kinds, longest, 0, torch.long),
            visible_BT=rows([[1] * len(one.ids) for one in examples], longest, 0, torch.bool),
            evidence_BT=rows(evidence, longest, 0, torch.bool),
            positions_BQ=rows([[at - 1 for at in one] for one in targets], most, 0, torch.long),
            targets_BQ=rows(
                [[one.ids[at] for at in where] for one, where in zip(examples, targets, strict=True)],
                most,
                IGNORED,
                torch.long,
            ),
            weights_BQ=rows(
                [[one.weights[at] for at in where] for one, where in zip(examples, targets, strict=True)],
                most,
                0.0,
                torch.float32,
            ),
        )


def _kinds(example: Example) -> list[int]:
    rows = [KINDS.index("template")] * len(example.ids)
    for segment in example.segments:
        rows[segment.start : segment.end] = [KINDS.index(segment.kind)] * (segment.end - segment.start)
    return rows


def _groups(decoder: InstructionDecoder, weight_decay: float) -> list[dict[str, object]]:
    """Norms, biases and single vectors are not decayed."""
    matrices = [one for one in decoder.parameters() if one.dim() > 1]
    others = [one for one in decoder.parameters() if one.dim() <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
