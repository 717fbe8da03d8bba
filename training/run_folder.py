"""The folder of a tuning run: what is to be served, and how it came about.

OUT/adapter_config.json, decoder_config.json, ...   what serving needs, written last
OUT/training.json, OUT/report.html                  the run card, for programs and for people
OUT/eval/before.jsonl, eval/after.jsonl             cross-entropy of every held-out conversation
OUT/eval/replies.jsonl                              what was said to held-out turns, before and after
OUT/progress.jsonl                                  a report a line
OUT/run.json, checkpoint/, best/                    what a run that was stopped goes on from

folder = RunFolder(out)
folder.begin(plan, resume=False)
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dialog.errors import ConfigError
from training.evaluation import Evaluated
from training.generated import Heard
from training.run import Report

_RUN, _CARD, _PROGRESS, _PAGE = "run.json", "training.json", "progress.jsonl", "report.html"


class RunFolder:
    """See the module."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / "checkpoint"
        self.best = path / "best"

    def begin(self, plan: dict[str, Any], *, resume: bool) -> None:
        """Make the folder, or go on in it.

        Args:
            plan: all that the run's result follows from; a run goes on only with the same.

        Raises:
            ConfigError: there is something else in the folder, or nothing to go on from.
        """
        run = self.path / _RUN
        if (self.path / _CARD).is_file():
            raise ConfigError(f"{str(self.path)!r} holds a finished run; name another folder with --out")
        if resume:
            self._check_same(run, plan)
            return
        if run.is_file():
            raise ConfigError(
                f"{str(self.path)!r} holds a run that was stopped; go on with --resume or name another folder"
            )
        if self.path.exists() and any(self.path.iterdir()):
            raise ConfigError(f"{str(self.path)!r} is not empty; name another folder with --out")
        self.path.mkdir(parents=True, exist_ok=True)
        _write(run, plan)

    def card(self) -> dict[str, Any] | None:
        """The card of a finished run; None where it is not finished."""
        path = self.path / _CARD
        found: dict[str, Any] | None = json.loads(path.read_text("utf-8")) if path.is_file() else None
        return found

    @property
    def is_begun(self) -> bool:
        """True if there is a run to go on with."""
        return (self.path / _RUN).is_file()

    def evaluation(self, name: str) -> list[Evaluated] | None:
        """What `save_evaluation` wrote under that name; None if it is not there whole."""
        try:
            lines = self._evaluation(name).read_text(encoding="utf-8").splitlines()
            return [Evaluated.model_validate_json(line) for line in lines]
        except (OSError, ValidationError):
            return None

    def save_evaluation(self, name: str, evaluated: Sequence[Evaluated]) -> None:
        path = self._evaluation(name)
        path.parent.mkdir(exist_ok=True)
        _write_text(path, "".join(one.model_dump_json() + "\n" for one in evaluated))

    def save_replies(self, heard: Heard) -> None:
        """A turn a line: what the agent said, the model before and the model after."""
        lines = [
            {
                "conversation_id": one.conversation_id,
                "turn": one.turn,
                "user": one.user,
                "wanted": one.wanted,
                "before": before,
                "after": after,
            }
            for one, before, after in zip(heard.asked.turns, heard.before, heard.after, strict=True)
        ]
        path = self._evaluation("replies")
        path.parent.mkdir(exist_ok=True)
        _write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))

    def reports(self) -> list[Report]:
        """Those so far; a run that went on from a checkpoint may have written some twice, the last counts."""
        path = self.path / _PROGRESS
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        found = {(report := Report.model_validate_json(line)).step: report for line in lines}
        return sorted(found.values(), key=lambda report: report.step)

    def add_report(self, report: Report) -> None:
        with (self.path / _PROGRESS).open("a", encoding="utf-8") as file:
            file.write(report.model_dump_json() + "\n")

    def finish(self, card: dict[str, Any], *, page: str | None = None) -> None:
        """The card is the last thing written; what was kept to go on from goes."""
        if page is not None:
            _write_text(self.path / _PAGE, page)
        _write(self.path / _CARD, card)
        for path in (self.checkpoint, self.best):
            shutil.rmtree(path, ignore_errors=True)
        (self.path / _RUN).unlink(missing_ok=True)

    def _check_same(self, run: Path, plan: dict[str, Any]) -> None:
        if not run.is_file():
            raise ConfigError(f"{str(self.path)!r} holds no run to go on with; leave out --resume")
        before = json.loads(run.read_text(encoding="utf-8"))
        now = json.loads(json.dumps(plan))
        changed = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
        if changed:
            raise ConfigError(
                f"the run in {str(self.path)!r} was begun with another {', '.join(changed)}; "
                "use the same, or begin anew in another folder"
            )

    def _evaluation(self, name: str) -> Path:
        return self.path / "eval" / f"{name}.jsonl"


def _write(path: Path, value: dict[str, Any]) -> None:
    _write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def _write_text(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
    os.replace(unfinished, path)
