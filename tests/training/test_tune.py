"""`instructrec tune` from the command line, on a tiny model and made-up dialogues in both languages."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from dialog.decoder.files import load_decoder
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.engine.sources import resolve
from dialog.errors import ModelError
from dialog.settings import ModelSection
from tests.engine.making import prompt_of
from tests.training.conftest import Result, talk
from training.data import TrainingData
from training.examples import Example
from training.previewing import counts
from training.run import Report
from training.run_folder import RunFolder
from training.tune import Patience
from training.watching import curve

Tune = Callable[..., Result]
QUICK = ("--set", "training.batch_tokens=300", "--epochs", "2")


def card(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return found


def test_preview_shows_what_is_trained_on_in_both_languages_and_counts_it(tune: Tune, log: Path) -> None:
    result = tune(log, "--preview", "--set", "training.valid_share=0")
    assert result.code == 0
    assert "【Code " in result.out
    assert "【号码" in result.out
    assert "24 conversations, 24 examples" in result.out
    assert "0 conversations held out" in result.out


def test_preview_counts_for_programs(tune: Tune, log: Path) -> None:
    told = json.loads(tune(log, "--preview", "--json").out)
    assert told["train"]["conversations"] + told["held_out"]["conversations"] == 24
    assert 0 < told["train"]["supervised"] < told["train"]["tokens"]


@pytest.mark.parametrize(
    ("method", "files"),
    [
        ("decoder", {"decoder_config.json", "decoder.safetensors"}),
        ("lora", {"adapter_config.json", "adapter_model.safetensors"}),
        ("adapter", {"bottleneck_config.json", "bottleneck.safetensors"}),
    ],
)
def test_a_run_leaves_what_is_served_and_its_card(
    tune: Tune, log: Path, tmp_path: Path, model_folder: Path, method: str, files: set[str]
) -> None:
    before = [path.read_bytes() for path in sorted(model_folder.iterdir())]
    result = tune(log, "--out", "tuned", "--method", method, *QUICK)
    assert result.code == 0, result.err
    assert [path.read_bytes() for path in sorted(model_folder.iterdir())] == before
    folder = tmp_path / "tuned"
    assert {path.name for path in folder.iterdir()} == {
        *files,
        "training.json",
        "report.html",
        "eval",
        "progress.jsonl",
        "tensorboard",
    }
    told = card(folder)
    assert told["method"] == method
    assert told["after"]["cross_entropy"] < told["before"]["cross_entropy"]
    assert [report["epoch"] for report in told["reports"]] == [1.0, 2.0]
    assert told["data"]["train"]["files"] == {str(log): told["data"]["train"]["files"][str(log)]}
    assert "cross-entropy" in result.out
    lines = (folder / "eval" / "after.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == told["after"]["conversations"]


@pytest.mark.parametrize(
    ("method", "setting"),
    [("decoder", "decoder"), ("lora", "adapter"), ("adapter", "adapter"), ("full", "name")],
)
def test_what_was_tuned_is_served(
    tune: Tune, log: Path, tmp_path: Path, model_folder: Path, method: str, setting: str
) -> None:
    rate = ("--lr", "0.003") if method == "full" else ()
    assert tune(log, "--out", "tuned", "--method", method, *QUICK, *rate).code == 0
    base = ModelSection(name=str(model_folder), precision="fp32", device="cpu")
    tuned = base.model_copy(update={setting: str(tmp_path / "tuned")})
    assert score(open_model(tuned)) > score(open_model(base)) + 1.0


def score(model: LocalModel) -> float:
    """Log-probability of replies as the log has them, in both languages."""
    total = 0.0
    for number in (0, 1):
        asked, replied = talk(number).messages
        prompt = prompt_of(model.tokenizer, ("user", asked.content))
        total += model.score(prompt, [replied.content])[0].total
    return total


def test_a_decoder_stands_on_the_adapter_it_was_trained_on(
    tune: Tune, log: Path, tmp_path: Path, model_folder: Path
) -> None:
    assert tune(log, "--out", "lora", "--method", "lora", *QUICK).code == 0
    adapter = f"model.adapter={tmp_path / 'lora'}"
    assert tune(log, "--out", "both", "--method", "decoder", "--set", adapter, *QUICK).code == 0
    assert card(tmp_path / "both")["adapter"] == str(tmp_path / "lora")
    before = card(tmp_path / "both")["before"]["cross_entropy"]
    assert before == pytest.approx(card(tmp_path / "lora")["after"]["cross_entropy"], rel=0.02)
    section = ModelSection(name=str(model_folder), precision="fp32", decoder=str(tmp_path / "both"))
    open_model(section.model_copy(update={"adapter": str(tmp_path / "lora")}))
    with pytest.raises(ModelError, match="was trained on the model"):
        open_model(section)


def test_the_decoder_knows_its_model(tune: Tune, log: Path, tmp_path: Path, model_folder: Path) -> None:
    assert tune(log, "--out", "tuned", *QUICK).code == 0
    told = card(tmp_path / "tuned")
    decoder = load_decoder(
        tmp_path / "tuned",
        model=resolve(str(model_folder)).fingerprint,
        template=told["template_fingerprint"],
    )
    assert sum(one.numel() for one in decoder.parameters()) == told["parameters"]


def test_a_stopped_run_goes_on_and_ends_the_same(
    tune: Tune, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tune(log, "--out", "whole", *QUICK).code == 0
    steps = 0
    step = "training.watching.Watching.step"

    def interrupting(self: object, *_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(step, interrupting)
        result = tune(log, "--out", "stopped", *QUICK)
    assert result.code == 130
    assert "stopped at step 3" in result.err
    assert tune(log, "--out", "stopped", *QUICK).code == 2  # not without --resume
    assert "--resume" in tune(log, "--out", "stopped", *QUICK).err
    other = tune(log, "--out", "stopped", "--resume", *QUICK, "--lr", "0.1")
    assert other.code == 2
    assert "another options" in other.err
    assert tune(log, "--out", "stopped", "--resume", *QUICK).code == 0
    whole, resumed = (load_file(tmp_path / name / "decoder.safetensors") for name in ("whole", "stopped"))
    assert all(one.equal(resumed[name]) for name, one in whole.items())
    assert card(tmp_path / "stopped")["steps"] == card(tmp_path / "whole")["steps"]


def test_a_finished_folder_is_not_overwritten(tune: Tune, log: Path, tmp_path: Path) -> None:
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned" / "mine.txt").write_text("keep", encoding="utf-8")
    result = tune(log, "--out", "tuned")
    assert result.code == 2
    assert "not empty" in result.err
    assert (tmp_path / "tuned" / "mine.txt").read_text(encoding="utf-8") == "keep"


def test_without_a_folder_there_is_nothing_to_do(tune: Tune, log: Path) -> None:
    result = tune(log)
    assert result.code == 2
    assert "--out" in result.err


@pytest.mark.parametrize("words", ["Hello.", "你好。"])
def test_data_without_one_trained_token_is_refused(tune: Tune, tmp_path: Path, words: str) -> None:
    messages = [{"role": "user", "content": words}, {"role": "assistant", "content": words, "loss": False}]
    path = tmp_path / "none.jsonl"
    path.write_text(json.dumps({"id": "c", "messages": messages}) + "\n", encoding="utf-8")
    result = tune(path, "--out", "tuned", "--set", "training.valid_share=0")
    assert result.code == 2
    assert "no token would be trained on" in result.err
    assert not (tmp_path / "tuned").exists()


def test_it_ends_when_nothing_is_gained() -> None:
    patience = Patience(2)
    assert [patience.is_better(loss) for loss in (3.0, 2.0, 2.5)] == [True, True, False]
    assert not patience.is_over()
    assert not patience.is_better(2.0)
    assert patience.is_over()


def test_reports_written_twice_count_once(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for loss in (2.0, 1.5):
        folder.add_report(Report(step=4, epoch=1.0, train_loss=loss))
    assert [report.train_loss for report in folder.reports()] == [1.5]


def test_the_curve_falls_with_the_loss() -> None:
    assert curve([8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]) == "█▇▆▅▄▃▂▁"
    assert curve([1.0]) == "▁"
    assert curve([]) == ""
    assert len(curve([float(n) for n in range(1000)])) == 30


def test_what_is_left_out_is_said(examples: list[Example]) -> None:
    refused = {"no agent reply after a user message": 2}
    data = TrainingData((examples[0],), 3, refused, {"message N: left out": 1}, {})
    lines = list(counts(data, num_held_out=0))
    assert "2 not trained on: no agent reply after a user message" in lines
    assert "1 x message N: left out" in lines
