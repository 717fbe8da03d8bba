"""LoRA and decoder: in stages, by turns, at once; each at its pace, the model's own weights as they were."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from dialog.decoder.config import DecoderConfig
from dialog.decoder.module import InstructionDecoder
from dialog.engine.load import open_model
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.testing.tiny import tiny_transformer
from tests.training.conftest import Result
from tests.training.test_tune import score
from training.checkpoint import load_checkpoint, save_checkpoint
from training.examples import Example
from training.methods.decoder import DecoderMethod
from training.methods.peft_methods import LoraMethod
from training.methods.together import NoFeatures, TogetherMethod, Turns
from training.optim import Pace
from training.run import Run, RunOptions

Tune = Callable[..., Result]
CONFIG = DecoderConfig(hidden_size=64, taps=(1, 2), rank=32, heads=4, mlp_size=32)
PACE = Pace(lr=5e-3, warmup=0.0, clip=0.5, decay="linear")
OPTIONS = RunOptions(epochs=2, lr=1e-2, batch_tokens=300, seed=3, paces={"decoder": PACE})
QUICK = ("--set", "training.batch_tokens=300", "--epochs", "2", "--method", "lora+decoder")
STAGED = ("--set", "training.decoder_epochs=2")
ALL: list[tuple[Turns, bool]] = [("joint", True), ("joint", False), ("alternate", True), ("alternate", False)]


def lora() -> LoraMethod:
    torch.manual_seed(0)
    model = tiny_transformer("llama", seed=1, context_tokens=512)
    return LoraMethod(model, rank=4, alpha=4.0, dropout=0.0, variant="rslora", base_name="tiny")


def together(turns: Turns, *, detach: bool) -> TogetherMethod:
    first = lora()
    torch.manual_seed(0)
    head_VD = first.causal.get_output_embeddings().weight
    decoder = DecoderMethod(InstructionDecoder(CONFIG), NoFeatures(), head_VD=head_VD)
    return TogetherMethod(first, decoder, turns=turns, detach_taps=detach, fingerprint="f")


def trained(module: nn.Module) -> list[Tensor]:
    return [one.detach().clone() for one in module.parameters() if one.requires_grad]


def same(some: list[Tensor], others: list[Tensor]) -> bool:
    return all(one.equal(other) for one, other in zip(some, others, strict=True))


def digest(module: nn.Module) -> str:
    own = [one for one in module.parameters() if not one.requires_grad]
    return hashlib.sha256(b"".join(one.detach().numpy().tobytes() for one in own)).hexdigest()


@pytest.mark.parametrize(("turns", "detach"), ALL)
def test_it_learns_and_the_models_own_weights_stay(
    turns: Turns, detach: bool, examples: list[Example]
) -> None:
    method = together(turns, detach=detach)
    before = digest(method.module)
    run = Run(method, OPTIONS)
    at_first = run.loss_on(examples[:8])
    first = {name: trained(part) for name, part in method.parts.items()}
    reports = list(run.reports(examples[:8]))
    assert run.loss_on(examples[:8]) < 0.95 * at_first
    assert digest(method.module) == before
    assert not any(same(first[name], trained(part)) for name, part in method.parts.items())
    assert ("model" in reports[0].besides) == detach


def test_before_the_first_step_it_is_the_model_as_it_was(examples: list[Example]) -> None:
    alone = Run(lora(), OPTIONS).loss_on(examples[:4])
    assert Run(together("joint", detach=True), OPTIONS).loss_on(examples[:4]) == pytest.approx(
        alone, rel=1e-4
    )


def test_by_turns_each_step_changes_one_of_them(examples: list[Example]) -> None:
    method = together("alternate", detach=False)
    seen = {name: trained(part) for name, part in method.parts.items()}
    changed = []

    def note(*_: object) -> None:
        now = {name: trained(part) for name, part in method.parts.items()}
        changed.append([name for name in now if not same(seen[name], now[name])])
        seen.update(now)

    list(Run(method, OPTIONS).reports(examples[:6], on_step=note))
    assert changed[:4] == [["lora"], ["decoder"], ["lora"], ["decoder"]]


def test_a_lora_whose_decoder_sends_nothing_back_learns_as_if_alone(examples: list[Example]) -> None:
    alone, joined = Run(lora(), OPTIONS), Run(together("joint", detach=True), OPTIONS)
    for run in (alone, joined):
        list(run.reports(examples[:6]))
    assert isinstance(joined.method, TogetherMethod)
    pairs = zip(trained(alone.method.module), trained(joined.method.parts["lora"]), strict=True)
    assert all(torch.allclose(mine, theirs, atol=1e-4) for mine, theirs in pairs)
    attached = Run(together("joint", detach=False), OPTIONS)
    list(attached.reports(examples[:6]))
    assert isinstance(attached.method, TogetherMethod)
    others = zip(trained(alone.method.module), trained(attached.method.parts["lora"]), strict=True)
    assert not all(torch.allclose(mine, theirs, atol=1e-4) for mine, theirs in others)


def test_each_part_has_a_rate_of_its_own(examples: list[Example]) -> None:
    still = OPTIONS.model_copy(update={"paces": {"decoder": Pace(lr=0.0, optimiser="sgd")}})
    method = together("joint", detach=True)
    first = {name: trained(part) for name, part in method.parts.items()}
    list(Run(method, still).reports(examples[:4]))
    assert same(first["decoder"], trained(method.parts["decoder"]))
    assert not same(first["lora"], trained(method.parts["lora"]))


@pytest.mark.parametrize("turns", ["joint", "alternate"])
def test_a_stopped_run_ends_where_it_would_have(
    turns: Turns, examples: list[Example], tmp_path: Path
) -> None:
    whole, broken, resumed = (Run(together(turns, detach=True), OPTIONS) for _ in range(3))
    list(whole.reports(examples[:6]))

    def stop(step: int, *_: object) -> None:
        if step == 3:
            save_checkpoint(tmp_path / "at", broken.method, broken.optimiser, progress={"step": step})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(broken.reports(examples[:6], on_step=stop))
    progress = load_checkpoint(tmp_path / "at", resumed.method, resumed.optimiser)
    assert progress == {"step": 3}
    resumed.step = 3
    list(resumed.reports(examples[:6]))
    assert same(trained(whole.method.module), trained(resumed.method.module))


@pytest.mark.slow
@pytest.mark.parametrize("combine", ["staged", "joint"])
def test_what_was_tuned_together_is_served_together(
    tune: Tune, log: Path, tmp_path: Path, model_folder: Path, combine: str
) -> None:
    result = tune(log, "--out", "both", *QUICK, *STAGED, "--set", f"training.combine={combine}")
    assert result.code == 0, result.err
    assert "--set model.adapter=both --set model.decoder=both" in result.out
    told: dict[str, Any] = json.loads((tmp_path / "both" / "training.json").read_text(encoding="utf-8"))
    assert told["after"]["cross_entropy"] < told["before"]["cross_entropy"]
    assert [one["step"] for one in told["reports"]] == sorted(one["step"] for one in told["reports"])
    base = ModelSection(name=str(model_folder), precision="fp32", device="cpu")
    adapter = base.model_copy(update={"adapter": str(tmp_path / "both")})
    both = adapter.model_copy(update={"decoder": str(tmp_path / "both")})
    assert score(open_model(both)) > score(open_model(base)) + 1.0
    with pytest.raises(ModelError, match="was trained on the model"):
        open_model(both.model_copy(update={"adapter": None}))


@pytest.mark.slow
def test_stages_that_were_stopped_go_on_where_they_were(
    tune: Tune, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tune(log, "--out", "whole", *QUICK, *STAGED).code == 0
    first = json.loads((tmp_path / "whole" / "lora" / "training.json").read_text(encoding="utf-8"))["steps"]
    steps = 0

    def interrupting(self: object, *_: object) -> None:
        nonlocal steps
        steps += 1
        if steps in (2, first + 3):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("training.watching.Watching.step", interrupting)
    assert tune(log, "--out", "stopped", *QUICK, *STAGED).code == 130  # in the first stage
    assert tune(log, "--out", "stopped", "--resume", *QUICK, *STAGED).code == 130  # in the second
    assert tune(log, "--out", "stopped", "--resume", *QUICK, *STAGED).code == 0
    for name in ("adapter_model.safetensors", "decoder.safetensors"):
        whole, resumed = (load_file(tmp_path / folder / name) for folder in ("whole", "stopped"))
        assert all(one.equal(resumed[key]) for key, one in whole.items())


def test_an_adapter_is_not_put_on_an_adapter(tune: Tune, log: Path) -> None:
    for method in ("lora", "lora+decoder"):
        result = tune(log, "--out", "b", "--method", method, "--set", "model.adapter=a")
        assert result.code == 2
        assert "one is served at a time" in result.err


def test_a_teacher_is_refused_before_the_first_stage(tune: Tune, log: Path) -> None:
    settings = (*QUICK, *STAGED, "--set", "training.teacher=taught")
    result = tune(log, "--out", "b", *settings)
    assert result.code == 2
    assert "is for --method lora, not for lora+decoder" in result.err
