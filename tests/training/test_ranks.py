"""Several processes: the same steps as one, whatever their number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from dialog.errors import ConfigError
from training.ranks import ALONE, Ranks, open_ranks

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("batches", [[[0, 1, 2], [3]], [[0], [1], [2]], [[5, 4, 3, 2, 1, 0]], [[0]]])
def test_every_example_is_read_by_one_process(batches: list[list[int]], count: int) -> None:
    shares = [Ranks(number, count).share(batches) for number in range(count)]
    read = sorted(at for share in shares for batch in share for at in batch)
    assert read == sorted(at for batch in batches for at in batch)
    assert all(batch for share in shares for batch in share)


def test_batches_of_one_are_spread() -> None:
    assert Ranks(0, 2).share([[0], [1], [2], [3]]) == [[0], [2]]
    assert Ranks(1, 2).share([[0], [1], [2], [3]]) == [[1], [3]]


def test_alone_nothing_is_exchanged() -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    ALONE.sum_gradients([parameter])
    assert parameter.grad is None
    assert ALONE.sum([1.5, 2.0]) == [1.5, 2.0]
    assert not ALONE.agree(False)


@pytest.mark.parametrize(
    ("name", "value"), [("ACCELERATE_USE_FSDP", "true"), ("ACCELERATE_MIXED_PRECISION", "fp16")]
)
def test_what_a_launcher_asks_for_in_vain_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="launched with"):
        open_ranks(torch.device("cpu"))


def test_nothing_launched_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert open_ranks(torch.device("cpu")) == ALONE


def tuned(log: Path, model: Path, out: Path, *, processes: int) -> dict[str, Any]:
    """The card of a run on a CPU, both parts of a model at once, as a user would start it."""
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(processes)]
    launch += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    command = [*(launch if processes > 1 else []), "-m", "dialog", "tune", log, "--out", out]
    settings = [f"model.name={model}", "model.device=cpu", "training.precision=fp32", "training.eval_turns=2"]
    settings += ["training.eval_tokens=8", "training.batch_tokens=150", "training.accumulate=3"]
    settings += ["training.method=lora+decoder", "training.combine=joint", "training.epochs=2"]
    settings += ["training.valid_share=0.2", "training.seed=1"]
    settings += ["training.anchor=0"]  # where it is held is drawn at random, by each process for itself
    command += [part for setting in settings for part in ("--set", setting)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "INSTRUCTREC_HOME": str(out.parent / f"home-{out.name}"),
    }
    finished = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, env=environment, cwd=out.parent
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("saved in") == 1
    card: dict[str, Any] = json.loads((out / "training.json").read_text(encoding="utf-8"))
    return card


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_give_the_trajectory_of_one(log: Path, model_folder: Path, tmp_path: Path) -> None:
    alone = tuned(log, model_folder, tmp_path / "alone", processes=1)
    both = tuned(log, model_folder, tmp_path / "both", processes=2)
    assert (alone["processes"], both["processes"]) == (1, 2)
    assert both["steps"] == alone["steps"] > 2
    for name in ("before", "after"):
        assert both[name]["cross_entropy"] == pytest.approx(alone[name]["cross_entropy"], rel=1e-5)
    for mine, theirs in zip(alone["reports"], both["reports"], strict=True):
        assert theirs["train_loss"] == pytest.approx(mine["train_loss"], rel=1e-5)
        assert theirs["valid_loss"] == pytest.approx(mine["valid_loss"], rel=1e-5)
        assert theirs["besides"] == pytest.approx(mine["besides"], rel=1e-4)
    for name in ("adapter_model.safetensors", "decoder.safetensors"):
        one, other = (load_file(tmp_path / folder / name) for folder in ("alone", "both"))
        assert all(torch.allclose(tensor, other[key], atol=2e-5) for key, tensor in one.items())
