"""`instructrec tune` without the terminal: from transcripts to a folder that can be served.

    tuning = Tuning(settings, base, train=train, valid=valid, watch=watch, features=None)
    card = tuning.into(Path("out"), resume=False)
    card["before"]["cross_entropy"], card["after"]["cross_entropy"]

The model is measured on the held-out conversations before and after, by its
cross-entropy and by what it says; between, whenever a report says it got better,
what was trained is kept, and the best is what is saved. A run that is stopped
keeps a checkpoint and ends as it would have.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from dialog.errors import DialogError, Interrupted
from dialog.settings import Settings
from training.card import heard_of, plan
from training.checkpoint import keep_best, load_checkpoint, put_best_back, save_checkpoint
from training.data import TrainingData
from training.evaluation import Evaluated, by_conversation, summary
from training.generated import Heard, Rehearsal
from training.methods.decoder import DecoderMethod
from training.methods.method import Method
from training.methods.opening import Base, open_method, run_options
from training.methods.preference import PreferenceMethod
from training.page import page
from training.ranked import ranking
from training.ranks import ALONE, Ranks
from training.run import Report, Run, planned_steps
from training.run_folder import RunFolder
from training.tracking import Tracks, open_tracks

CHECKPOINT_S = 120.0


class Watch(Protocol):
    """Who looks on."""

    def step(self, step: int, num_steps: int, loss: float) -> None: ...

    def report(self, report: Report) -> None: ...

    def remark(self, text: str) -> None: ...

    def wants_to_stop(self) -> bool: ...


class Tuning:
    """One run of one method.

    Args:
        train, valid: without anything held out nothing is measured, and the last step is saved.
        features: where a decoder keeps the model's hidden states; None: nowhere.
        rehearsal: held-out turns that are answered before and after; None: none.
        ranks: the processes it is shared by, each with a `Tuning` of its own; the first one writes.
    """

    def __init__(
        self,
        settings: Settings,
        base: Base,
        *,
        train: TrainingData,
        valid: TrainingData | None,
        watch: Watch,
        features: Path | None,
        rehearsal: Rehearsal | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self._section = settings.training
        self._adapter = settings.model.adapter
        self._base = base
        self._train, self._valid = train, valid
        self._watch = watch
        self._rehearsal = rehearsal
        self._ranks = ranks
        options = run_options(self._section)
        lengths = [len(one.ids) for one in train.examples]
        self.num_steps = planned_steps(options, lengths)
        self.method: Method = open_method(self._section, base, num_steps=self.num_steps, features=features)
        self.run = Run(self.method, options, ranks=ranks)

    @property
    def num_trained(self) -> int:
        """Numbers that are trained."""
        return sum(one.numel() for one in self.method.module.parameters() if one.requires_grad)

    def about(self) -> list[str]:
        """What it takes, before anything is done.

        Raises:
            NoRoom: the disk has too little space for a decoder's features.
        """
        share = self.num_trained / self._base.model.num_parameters()
        lines = [f"{self.method.name}: {self.num_trained:,} numbers are trained ({share:.1%} of the model)"]
        if isinstance(self.method, DecoderMethod):
            held = self._valid.examples if self._valid else ()
            needed = self.method.cache.check_room([*self._train.examples, *held])
            lines += [f"features of the model: {needed / 1e6:,.0f} MB to compute and keep"] if needed else []
        return [*lines, f"{self.num_steps} steps"]

    def into(self, out: Path, *, resume: bool) -> dict[str, Any]:
        """Train, measure, save; returns the run card.

        Raises:
            ConfigError: `out` holds something else.
            ModelError: a checkpoint is damaged.
            Interrupted: the watch wanted it to stop; it can go on with `resume`.
        """
        folder = RunFolder(out)
        planned = plan(self._section, self.run.options, self._base, train=self._train, valid=self._valid)
        if self._ranks.is_first:
            folder.begin(planned, resume=resume)
        self._ranks.wait()
        before = self._before(folder)
        progress = load_checkpoint(folder.checkpoint, self.method, self.run.optimiser) or {}
        self.run.step = int(progress.get("step", 0))
        clock = _Clock(float(progress.get("seconds", 0.0)))
        names = self._section.track if self._ranks.is_first else ()
        with open_tracks(names, out, config=planned, remark=self._watch.remark) as tracks:
            self._loop(folder, clock, tracks)
            return self._ended(folder, clock, tracks, planned, before)

    def _ended(
        self,
        folder: RunFolder,
        clock: _Clock,
        tracks: Tracks,
        planned: dict[str, Any],
        before: Sequence[Evaluated],
    ) -> dict[str, Any]:
        """The best is put back, measured and saved; returns the run card."""
        self._ranks.wait()
        put_best_back(folder.best, self.method)
        self._ranks.wait()  # the first one clears it away in the end
        after = self._evaluated()
        card = planned | {
            "adapter": self._adapter,
            "processes": self._ranks.count,
            "steps": self.run.step,
            "seconds": round(clock.seconds, 1),
            "parameters": self.num_trained,
            "before": summary(before, is_likelihood=self._section.objective == "likelihood"),
            "after": summary(after, is_likelihood=self._section.objective == "likelihood"),
            "ranked": self._ranked(),
            "reports": [report.model_dump() for report in folder.reports()],
        }
        if not self._ranks.is_first:
            return card
        card = self._saved(folder, card, before, after)
        tracks.result(card)
        return card

    def _saved(
        self, folder: RunFolder, card: dict[str, Any], before: Sequence[Evaluated], after: Sequence[Evaluated]
    ) -> dict[str, Any]:
        """What is served, and how it came about."""
        folder.save_evaluation("after", after)
        if after and card["after"]["loss"] >= card["before"]["loss"]:
            self._watch.remark("nothing was gained: on what was held out the model as it was is no worse")
        self.method.save(folder.path)
        heard = hear(self._rehearsal, self._section.method, folder, watch=self._watch)
        card = card | {"replies": heard_of(heard) if heard else None}
        folder.finish(card, page=page(card, before=before, after=after, heard=heard))
        return card

    def _loop(self, folder: RunFolder, clock: _Clock, tracks: Tracks) -> None:
        patience = Patience(self._section.patience)
        for report in folder.reports():
            if report.step <= self.run.step:
                patience.is_better(report.valid_loss)
        if patience.is_over():
            return
        saved_at = time.monotonic()

        def on_step(step: int, num_steps: int, loss: float) -> None:
            nonlocal saved_at
            self._watch.step(step, num_steps, loss)
            tracks.step(step, loss)
            stop = self._ranks.agree(self._watch.wants_to_stop())
            if stop or time.monotonic() - saved_at > CHECKPOINT_S:
                self._checkpoint(folder, clock)
                saved_at = time.monotonic()
            if stop:
                raise Interrupted(
                    f"stopped at step {step} of {num_steps}; go on with --resume --out {folder.path}"
                )

        valid = self._valid.examples if self._valid else ()
        for report in self.run.reports(self._train.examples, valid, on_step=on_step):
            is_better = patience.is_better(report.valid_loss)
            if self._ranks.is_first:
                folder.add_report(report)
                if is_better:
                    keep_best(folder.best, self.method)
            self._watch.report(report)
            tracks.report(report)
            self._checkpoint(folder, clock)
            if patience.is_over():
                self._watch.remark(f"no gain in {self._section.patience} evaluations: training ends here")
                return

    def _checkpoint(self, folder: RunFolder, clock: _Clock) -> None:
        if not self._ranks.is_first:
            return
        told = {"step": self.run.step, "seconds": clock.seconds}
        save_checkpoint(folder.checkpoint, self.method, self.run.optimiser, progress=told)

    def _before(self, folder: RunFolder) -> list[Evaluated]:
        found = folder.evaluation("before")
        if found is None:
            with self.method.as_base():
                found = self._evaluated()
            if self._ranks.is_first:
                folder.save_evaluation("before", found)
        return found

    def _ranked(self) -> dict[str, Any] | None:
        """Of feedback, how often the wanted reply is the likelier one."""
        if self._valid is None or not isinstance(self.method, PreferenceMethod):
            return None
        return ranking(self.method, self._valid.examples)

    def _evaluated(self) -> list[Evaluated]:
        """Of every held-out conversation."""
        if self._valid is None:
            return []
        examples = self._valid.examples
        return by_conversation(examples, self.run.losses_on(examples))


def hear(rehearsal: Rehearsal | None, method: str, folder: RunFolder, *, watch: Watch) -> Heard | None:
    """What is said before and after; a result is not lost because it could not be asked.

    Raises:
        Interrupted: the watch wanted it to stop.
    """
    if rehearsal is None:
        return None
    asked = rehearsal.asked
    watch.remark(
        f"answering {len(asked.turns)} held-out turns of {asked.num_conversations} conversations, "
        f"of {asked.of} there are, before and after"
    )
    try:
        heard = rehearsal.hear(method, folder.path)
    except Interrupted:
        raise
    except DialogError as error:
        watch.remark(f"not answered: {error}")
        return None
    if heard is None:
        watch.remark(f"not answered: this engine does not serve what {method} saves")
        return None
    for note in heard.notes:
        watch.remark(note)
    folder.save_replies(heard)
    return heard


class Patience:
    """Whether it is still getting better: no more than `most` evaluations in a row without gain."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._best = math.inf
        self._without_gain = 0

    def is_better(self, loss: float | None) -> bool:
        """Takes note of a loss; without one, every step is the best."""
        if loss is None:
            return True
        if loss < self._best:
            self._best, self._without_gain = loss, 0
            return True
        self._without_gain += 1
        return False

    def is_over(self) -> bool:
        return 0 < self._most <= self._without_gain


class _Clock:
    """Seconds of work, those before a run was stopped included."""

    def __init__(self, before: float) -> None:
        self._start = time.monotonic() - before

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start
