"""Curves for TensorBoard and Weights & Biases: every step's loss, every report, and what came of it.

    with open_tracks(("tensorboard",), out, config=plan, remark=print) as tracks:
        tracks.step(1, 2.71)
        tracks.report(report)

TensorBoard's files lie in `OUT/tensorboard` and go nowhere. Weights & Biases
is used only when it is asked for, and sends what `WANDB_MODE` lets it:
losses, scores and settings, never a conversation.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import uuid4

from dialog.errors import MissingExtra
from training.run import Report

Name = Literal["tensorboard", "wandb"]


class Writer(Protocol):
    """Where curves go; steps never fall."""

    def add(self, name: str, value: float, step: int) -> None: ...

    def close(self) -> None: ...


class Tracks:
    """All writers at once; none is fine."""

    def __init__(self, writers: Sequence[Writer]) -> None:
        self._writers = writers

    def step(self, step: int, loss: float) -> None:
        self._add({"loss/step": loss}, step)

    def report(self, report: Report) -> None:
        values = {"loss/train": report.train_loss, "loss/held_out": report.valid_loss}
        self._add(values | {f"besides/{name}": value for name, value in report.besides.items()}, report.step)

    def result(self, card: Mapping[str, Any]) -> None:
        """Before and after, at the last step."""
        for when in ("before", "after"):
            scores = (card["replies"] or {"scores": {}})["scores"]
            values = {f"{when}/{name}": score[when] for name, score in scores.items()}
            measured = {f"{when}/{name}": card[when].get(name) for name in ("cross_entropy", "loss")}
            self._add(values | measured, card["steps"])

    def _add(self, values: Mapping[str, float | None], step: int) -> None:
        for writer in self._writers:
            for name, value in values.items():
                if value is not None:
                    writer.add(name, value, step)


@contextmanager
def open_tracks(
    names: Sequence[Name], out: Path, *, config: Mapping[str, Any], remark: Callable[[str], None]
) -> Iterator[Tracks]:
    """Writers by name, closed in the end.

    Args:
        config: settings, for those that keep them.
        remark: told where TensorBoard's part is not installed: it is the default, so that is no error.

    Raises:
        MissingExtra: Weights & Biases was asked for and is not installed.
    """
    with ExitStack() as stack:
        writers: list[Writer] = []
        for name in names:
            try:
                writer: Writer = (
                    TensorBoard(out / "tensorboard")
                    if name == "tensorboard"
                    else WeightsAndBiases(out, config)
                )
            except MissingExtra as missing:
                if name == "wandb":
                    raise
                remark(f"no curves are kept: {missing}")
                continue
            stack.callback(writer.close)
            writers.append(writer)
        yield Tracks(writers)


class TensorBoard:
    """Event files, by tensorboardX; steps that a stopped run wrote twice show once."""

    def __init__(self, folder: Path) -> None:
        self._library = _library("tensorboardX", extra="train", needed_for="TensorBoard")
        self._folder = folder
        self._writer: Any = None

    def add(self, name: str, value: float, step: int) -> None:
        if self._writer is None:
            self._writer = self._library.SummaryWriter(logdir=str(self._folder), purge_step=step)
        self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class WeightsAndBiases:
    """A run of the project `instructrec`, named after the folder; goes on where it was stopped."""

    def __init__(self, out: Path, config: Mapping[str, Any]) -> None:
        library = _library("wandb", extra="wandb", needed_for="Weights & Biases")
        self._run = library.init(
            project="instructrec",
            name=out.name,
            id=_id(out / "wandb-id.txt"),
            resume="allow",
            dir=str(out),
            config=dict(config),
        )

    def add(self, name: str, value: float, step: int) -> None:
        self._run.log({name: value}, step=step)

    def close(self) -> None:
        self._run.finish()


def _id(path: Path) -> str:
    """Of the run in this folder, drawn once; another run may have a folder of the same name."""
    if not path.is_file():
        path.write_text(uuid4().hex, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _library(name: str, *, extra: str, needed_for: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(extra, needed_for=needed_for) from None
