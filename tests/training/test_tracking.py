"""Curves besides the folder's own: TensorBoard's files read back, Weights & Biases by a stand-in."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tensorboardX.proto.event_pb2 import Event

from dialog.errors import MissingExtra
from tests.training.conftest import Result
from training.run import Report
from training.tracking import open_tracks

CONFIG = {"model_fingerprint": "0123456789ab", "options": {"seed": 7}}
REPORT = Report(step=2, epoch=1.0, train_loss=2.0, besides={"evidence": 0.5}, valid_loss=1.5)
CARD = {
    "steps": 2,
    "before": {"cross_entropy": 3.0},
    "after": {"cross_entropy": None},
    "replies": {"scores": {"chrf": {"before": 10.0, "after": 20.0}}},
}
CURVES = {
    ("loss/step", 1): 2.5,
    ("loss/train", 2): 2.0,
    ("loss/held_out", 2): 1.5,
    ("besides/evidence", 2): 0.5,
    ("before/chrf", 2): 10.0,
    ("before/cross_entropy", 2): 3.0,
    ("after/chrf", 2): 20.0,
}


class FakeWandb(ModuleType):
    """Remembers what it is told."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.begun: dict[str, Any] = {}
        self.logged: dict[tuple[str, int], float] = {}
        self.is_finished = False

    def init(self, **options: Any) -> FakeWandb:
        self.begun = options
        return self

    def log(self, values: dict[str, float], *, step: int) -> None:
        self.logged |= {(name, step): value for name, value in values.items()}

    def finish(self) -> None:
        self.is_finished = True


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    """What the event files of a folder hold: records of length, its checksum, the event, its checksum."""
    found = {}
    for path in folder.glob("events.*"):
        content, at = path.read_bytes(), 0
        while at < len(content):
            (size,) = struct.unpack("<Q", content[at : at + 8])
            event = Event.FromString(content[at + 12 : at + 12 + size])
            found.update({(one.tag, event.step): one.simple_value for one in event.summary.value})
            at += 16 + size
    return found


def track(names: tuple[Any, ...], out: Path) -> list[str]:
    remarks: list[str] = []
    with open_tracks(names, out, config=CONFIG, remark=remarks.append) as tracks:
        tracks.step(1, 2.5)
        tracks.report(REPORT)
        tracks.result(CARD)
    return remarks


def test_tensorboard_has_the_curves(tmp_path: Path) -> None:
    assert track(("tensorboard",), tmp_path) == []
    assert scalars(tmp_path / "tensorboard") == CURVES


def test_weights_and_biases_has_the_curves_and_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    folder = tmp_path / "订单"
    folder.mkdir()
    track(("wandb",), folder)
    drawn = fake.begun["id"]
    track(("wandb",), folder)
    assert fake.begun["id"] == drawn  # what was stopped goes on there
    track(("wandb",), tmp_path)
    assert fake.begun["id"] != drawn
    track(("wandb",), folder)
    assert fake.logged == CURVES
    assert fake.is_finished
    assert fake.begun["name"] == "订单"
    assert fake.begun["config"] == CONFIG
    assert fake.begun["resume"] == "allow"


def test_what_is_not_installed_is_said_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.setitem(sys.modules, "wandb", None)
    (remark,) = track(("tensorboard",), tmp_path)
    assert "instructrec[train]" in remark
    with pytest.raises(MissingExtra, match="instructrec\\[wandb\\]"):
        track(("wandb",), tmp_path)


def test_tuning_keeps_curves_unless_told_not_to(
    tune: Callable[..., Result], log: Path, tmp_path: Path
) -> None:
    quick = ("--set", "training.batch_tokens=300", "--epochs", "1")
    assert tune(log, "--out", "with", *quick).code == 0
    assert {"loss/step", "loss/train", "loss/held_out"} <= {
        name for name, _ in scalars(tmp_path / "with" / "tensorboard")
    }
    assert tune(log, "--out", "without", *quick, "--set", "training.track=[]").code == 0
    assert not (tmp_path / "without" / "tensorboard").exists()
