"""A search for settings: trials of one method, judged by cross-entropy on what was held out.

DIR/study.db       all trials and their epochs (optuna, SQLite)
DIR/best.toml      the best settings so far, for `instructrec tune --config`

    search = Search(settings, files, train=train, valid=valid, features=features, watch=watching)
    found = search.into(Path("study"), num_trials=20)
    found["best"]["cross_entropy"], found["trials"]

The first trial is what suits the method anyway. A trial is worth the best of
its epochs, as `tune` saves that one, and ends early when it is worse than the
median of the others at that epoch. A search that was stopped or killed goes on
with the trial at hand: what is drawn follows from the seed and the trial's
number, so (on a CPU) it is the study it would have been.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import optuna
import tomli_w
from filelock import FileLock, Timeout
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import URL

from dialog.decoder.config import default_config
from dialog.engine.sources import ModelFiles
from dialog.errors import ConfigError, Interrupted
from dialog.settings import Settings, TrainingSection
from training.card import plan
from training.data import TrainingData
from training.methods.decoder import DecoderMethod
from training.methods.opening import Base, open_base, open_method, run_options
from training.run import Run, planned_steps
from training.search.space import Space, first_of, space_of
from training.tune import Patience
from training.watching import Watching

_NAME, _PLAN = "tune-search", "plan"
_BEFORE_PRUNING = 4
_DONE = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class Search:
    """See the module.

    Args:
        base: the model, once open; trials within the model open it anew.
        features: where a decoder keeps the model's hidden states, for all trials.

    Raises:
        ConfigError: the method is not searched.
    """

    def __init__(
        self,
        settings: Settings,
        files: ModelFiles,
        base: Base,
        *,
        train: TrainingData,
        valid: TrainingData,
        features: Path | None,
        watch: Watching,
    ) -> None:
        self._settings = settings
        self._section = settings.training.model_copy(update={"evaluate_every": 0})
        self._files = files
        self._base: Base | None = base
        self._train, self._valid = train, valid
        self._features = features
        self._watch = watch
        text_config = base.model.config.get_text_config(decoder=True)
        size, num_layers = int(text_config.hidden_size), int(text_config.num_hidden_layers)
        rank = default_config(hidden_size=size, num_layers=num_layers, model="", template="").rank
        self._space: Space = space_of(self._section.method, decoder_rank=rank)
        self._first = first_of(self._section, decoder_rank=rank)
        planned = plan(self._section, run_options(self._section), base, train=train, valid=valid)
        self._plan: dict[str, Any] = json.loads(json.dumps(planned))  # as a study gives it back

    def into(self, folder: Path, *, num_trials: int) -> dict[str, Any]:
        """Try until the study has `num_trials`; returns them and the best.

        Raises:
            ConfigError: the study is of something else, or somebody else is at it.
        NoRoom: the disk has too little space for a decoder's features.
            Interrupted: the watch wanted it to stop; it goes on when called again.
        """
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / "study.lock", timeout=0):
                return self._searched(folder, num_trials)
        except Timeout as error:
            raise ConfigError(f"another search is at work in {str(folder)!r}; wait for its end") from error

    def _searched(self, folder: Path, num_trials: int) -> dict[str, Any]:
        study = self._study(folder)
        while (num := len(study.get_trials(deepcopy=False, states=_DONE))) < num_trials:
            trial = self._next(study)
            wanted = {name: _suggested(trial, name, self._space) for name in self._space}
            self._watch.fresh()
            self._watch.remark(f"trial {num + 1} of {num_trials}: {_shown(wanted)}")
            try:
                worth = self._worth(trial, self._section.model_copy(update=wanted))
            except optuna.TrialPruned:
                study.tell(trial, state=TrialState.PRUNED)
                self._watch.remark("worse than the median of the others at this epoch: ends here")
            else:
                study.tell(trial, worth if math.isfinite(worth) else None)  # None: it has failed
            found = result(study)
            if found["best"] is not None:
                self._write(folder / "best.toml", found["best"]["settings"])
        return result(study)

    def _study(self, folder: Path) -> optuna.Study:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        url = URL.create("sqlite", database=str(folder / "study.db")).render_as_string()
        study = optuna.create_study(
            storage=url,
            study_name=_NAME,
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_BEFORE_PRUNING),
        )
        before = study.user_attrs.get(_PLAN)
        if before is None:
            study.set_user_attr(_PLAN, self._plan)
            study.enqueue_trial(self._first)
        elif changed := sorted(key for key in self._plan if before.get(key) != self._plan[key]):
            raise ConfigError(
                f"the study in {str(folder)!r} was begun with another {', '.join(changed)}; "
                "use the same, or name another folder with --study"
            )
        return study

    def _next(self, study: optuna.Study) -> Trial:
        """The trial that was at hand when the search was stopped, or a new one."""
        if running := study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._draw_for(study, running[0].number)
            return Trial(study, running[0]._trial_id)
        waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        self._draw_for(study, waiting[0].number if waiting else len(study.get_trials(deepcopy=False)))
        return study.ask()

    def _draw_for(self, study: optuna.Study, number: int) -> None:
        study.sampler = optuna.samplers.TPESampler(seed=self._section.seed * 1_000_003 + number)

    def _worth(self, trial: Trial, section: TrainingSection) -> float:
        """The least held-out cross-entropy of its epochs; raises `TrialPruned`."""
        base, self._base = self._base or open_base(self._settings.model, self._files, section), None
        options = run_options(section)
        num_steps = planned_steps(options, [len(one.ids) for one in self._train.examples])
        method = open_method(section, base, num_steps=num_steps, features=self._features)
        if isinstance(method, DecoderMethod):
            self._base = base  # a decoder leaves the model as it was
            self._make_room(method)
        known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values.keys()
        patience, best = Patience(section.patience), math.inf
        for report in Run(method, options).reports(
            self._train.examples, self._valid.examples, on_step=self._on_step
        ):
            self._watch.report(report)
            assert report.valid_loss is not None
            patience.is_better(report.valid_loss)
            best = min(best, report.valid_loss)
            epoch = round(report.epoch)
            if epoch not in known:
                trial.report(report.valid_loss, step=epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
            if patience.is_over():
                break
        return best

    def _make_room(self, method: DecoderMethod) -> None:
        needed = method.cache.check_room([*self._train.examples, *self._valid.examples])
        if needed:
            self._watch.remark(
                f"features of the model: {needed / 1e6:,.0f} MB to compute, once for all trials"
            )

    def _on_step(self, step: int, num_steps: int, loss: float) -> None:
        self._watch.step(step, num_steps, loss)
        if self._watch.wants_to_stop():
            raise Interrupted("stopped within a trial; the same command goes on with it")

    def _write(self, path: Path, best: dict[str, Any]) -> None:
        """What was said of model and training, with the best settings."""
        told = self._settings.model_dump(
            mode="json", include={"model", "training"}, exclude_defaults=True, exclude_none=True
        )
        training = told.get("training", {}) | {"method": self._section.method} | best
        unfinished = path.with_name(f".{path.name}.unfinished")
        unfinished.write_text(tomli_w.dumps(told | {"training": training}), encoding="utf-8")
        os.replace(unfinished, path)


def result(study: optuna.Study) -> dict[str, Any]:
    """All trials that came to an end, in order, and the best one; None if there is none."""
    trials = study.get_trials(deepcopy=False, states=_DONE)
    told = [_told(one) for one in trials]
    whole = [one for one in told if one["state"] == "complete"]
    return {"best": min(whole, key=lambda one: one["cross_entropy"], default=None), "trials": told}


def _told(trial: FrozenTrial) -> dict[str, Any]:
    """A pruned one has the last loss it was seen with."""
    losses = trial.intermediate_values
    reached = trial.value if trial.state is TrialState.COMPLETE else losses.get(max(losses, default=0))
    return {
        "trial": trial.number + 1,
        "state": trial.state.name.lower(),
        "cross_entropy": reached,
        "epochs": len(losses),
        "settings": dict(trial.params),
    }


def _suggested(trial: Trial, name: str, space: Space) -> Any:
    match space[name]:
        case FloatDistribution(low=low, high=high, log=log):
            return trial.suggest_float(name, low, high, log=log)
        case IntDistribution(low=low, high=high):
            return trial.suggest_int(name, low, high)
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(name, choices)
        case other:
            raise TypeError(f"no way to draw {name} from {other!r}")


def _shown(wanted: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in wanted.items())
