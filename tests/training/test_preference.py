"""Learning from feedback: the losses by hand, the data of both languages, a run from a store's export."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ConfigError, CorpusError
from dialog.settings import TrainingSection
from dialog.testing.tiny import tiny_tokenizer
from dialog.values import Message, Transcript
from tests.training.conftest import Result, talk
from training.data import TrainingData
from training.methods.opening import Base, open_method, run_options
from training.methods.preference import (
    Objective,
    Opinion,
    Pair,
    PreferenceMethod,
    check_feedback,
    dpo_losses,
    kto_losses,
)
from training.preferences import DAMAGED, NO_FEEDBACK, NO_PAIR, SAME, make_preferences
from training.ranked import ranking
from training.run import Run, RunOptions

Tune = Callable[..., Result]
BAD = ("No idea.", "不知道。")


def reworded(number: int) -> Transcript:
    """The good reply repeats the code, the rejected one does not; every second one is Chinese."""
    rejected = [{"role": "assistant", "content": BAD[number % 2]}]
    return talk(number).model_copy(update={"meta": {"rejected": rejected}})


def rated(number: int) -> Transcript:
    """Good ones are liked, and of each question there is one that was disliked."""
    asked, told = talk(number).messages
    is_liked = number % 4 < 2
    reply = told if is_liked else Message(role="assistant", content=BAD[number % 2], loss=False)
    return Transcript(id=f"c-{number}", messages=(asked, reply), meta={"label": is_liked})


def data_of(transcripts: list[Transcript], objective: Objective = "dpo") -> TrainingData:
    return make_preferences(
        transcripts, HFChatTokenizer(tiny_tokenizer()), objective=objective, limit_tokens=400
    )


def method_of(model: PreTrainedModel, objective: Objective) -> PreferenceMethod:
    base = Base("tiny", "f", model, tiny_tokenizer(), HFChatTokenizer(tiny_tokenizer()))
    section = TrainingSection(method="lora", objective=objective, rank=4, beta=0.5)
    method = open_method(section, base, num_steps=1, features=None)
    assert isinstance(method, PreferenceMethod)
    return method


def test_the_loss_of_a_pair_by_hand() -> None:
    losses = dpo_losses(torch.tensor([0.0, 2.0]), torch.tensor([0.0, -1.0]), beta=0.5)
    assert losses.tolist() == pytest.approx([math.log(2), math.log(1 + math.exp(-1.5))])


def test_the_loss_of_an_opinion_by_hand() -> None:
    moved, is_good = torch.tensor([3.0, 3.0, 1.0]), torch.tensor([True, False, True])
    losses = kto_losses(moved, is_good, divergence=torch.tensor(1.0), beta=0.5)
    assert losses.tolist() == pytest.approx([1 - 1 / (1 + math.exp(-1)), 1 - 1 / (1 + math.exp(1)), 0.5])


def test_feedback_is_learned_at_a_tenth_of_the_rate_unless_one_is_set() -> None:
    section = TrainingSection(method="lora", objective="dpo")
    assert run_options(section).lr == pytest.approx(5e-5)
    assert run_options(section.model_copy(update={"lr": 1e-3})).lr == 1e-3


def test_a_batch_is_measured_as_the_model_says_it(fresh_model: PreTrainedModel) -> None:
    method = method_of(fresh_model, "dpo")
    pairs = data_of([reworded(0), reworded(1)]).examples
    unmoved_B1 = method.losses(method.batch(pairs)).tokens_BQ
    assert unmoved_B1.squeeze(1).tolist() == pytest.approx([math.log(2)] * 2)
    with torch.no_grad():
        for name, parameter in method.module.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)

    def logp(ids: tuple[int, ...], start: int) -> float:
        with torch.no_grad():
            said_TV = method.causal(torch.tensor([ids])).logits[0].log_softmax(-1)
        return sum(float(said_TV[at - 1, ids[at]]) for at in range(start, len(ids)))

    losses_B1 = method.losses(method.batch(pairs)).tokens_BQ
    for pair, loss in zip(pairs, losses_B1.squeeze(1).tolist(), strict=True):
        assert isinstance(pair, Pair)
        start = pair.boundaries[0]
        margin = logp(pair.ids, start) - logp(pair.rejected.ids, start)
        with method.peft.disable_adapter():
            margin -= logp(pair.ids, start) - logp(pair.rejected.ids, start)
        assert abs(margin) > 1e-3
        assert loss == pytest.approx(math.log(1 + math.exp(-0.5 * margin)), rel=1e-3)


@pytest.mark.parametrize("objective", ["dpo", "kto"])
def test_the_wanted_reply_becomes_the_likelier_one(
    fresh_model: PreTrainedModel, objective: Objective
) -> None:
    method = method_of(fresh_model, objective)
    make = reworded if objective == "dpo" else rated
    data = data_of([make(number) for number in range(16)], objective)
    held = data_of([make(number) for number in range(16, 32)], objective)
    before = ranking(method, held.examples)
    assert before is not None
    assert before["after"] == before["before"]
    reports = list(Run(method, RunOptions(epochs=8, lr=1e-2, batch_tokens=300)).reports(data.examples))
    assert reports[-1].train_loss < 0.7 * reports[0].train_loss
    after = ranking(method, held.examples)
    assert after is not None
    assert after["before"] == before["before"]
    assert after["after"] > 0.9
    assert after["ci95"][0] <= after["gain"] <= after["ci95"][1]


def test_liked_and_disliked_count_the_same_and_are_measured_behind_other_prompts() -> None:
    opinions = data_of([rated(number) for number in (0, 1, 2)], "kto").examples
    assert [(one.is_good, one.weight) for one in opinions if isinstance(one, Opinion)] == [
        (True, 1.0),
        (True, 1.0),
        (False, 2.0),
    ]
    for one in opinions:
        assert isinstance(one, Opinion)
        start = one.boundaries[0]
        assert one.mismatched.ids[:start] == one.ids[:start]
        assert one.mismatched.ids[start:] != one.ids[start:]
        assert one.mismatched.num_supervised == len(one.mismatched.ids) - start


def test_what_is_of_no_use_is_counted_with_its_reason() -> None:
    same = reworded(0).model_copy(
        update={"meta": {"rejected": [{"role": "assistant", "content": talk(0).messages[-1].content}]}}
    )
    damaged = talk(1).model_copy(update={"meta": {"rejected": [{"role": "bishop"}]}})
    data = data_of([reworded(1), same, damaged, talk(2), rated(3)])
    assert data.refused == {SAME: 1, DAMAGED: 1, NO_FEEDBACK: 1, NO_PAIR: 1}
    assert len(data.examples) == 1


@pytest.mark.parametrize("objective", ["dpo", "kto"])
def test_nothing_to_learn_from_is_refused_with_the_reason(objective: Objective) -> None:
    with pytest.raises(CorpusError, match=r"nothing to learn from.*no feedback in it .* \(2\)"):
        data_of([talk(0), talk(1)], objective)


@pytest.mark.parametrize(
    "settings", [{"method": "decoder"}, {"lora": "pissa"}, {"neftune": 5.0}, {"method": "lora+decoder"}]
)
def test_what_cannot_learn_from_feedback_is_refused(settings: dict[str, Any]) -> None:
    section = TrainingSection.model_validate({"method": "lora", "objective": "dpo", **settings})
    with pytest.raises(ConfigError, match="is for --method lora"):
        check_feedback(section)


@pytest.mark.parametrize("objective", ["dpo", "kto"])
def test_a_run_on_feedback_says_how_often_the_wanted_reply_is_likelier(
    tune: Tune, tmp_path: Path, objective: Objective
) -> None:
    path = tmp_path / "feedback.jsonl"
    make = reworded if objective == "dpo" else rated
    lines = [make(number).model_dump(mode="json", exclude_defaults=True) for number in range(24)]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    settings = ("--set", f"training.objective={objective}", "--set", "training.valid_share=0.4")
    result = tune(path, "--out", "tuned", "--method", "lora", "--epochs", "2", "--lr", "0.01", *settings)
    assert result.code == 0, result.err
    assert "the wanted reply is likelier in" in result.out
    assert "wanted reply" in result.err
    card = json.loads((tmp_path / "tuned" / "training.json").read_text(encoding="utf-8"))
    assert card["before"]["cross_entropy"] is None
    assert card["before"]["loss"] == pytest.approx(math.log(2) if objective == "dpo" else 0.5, rel=1e-3)
    assert card["after"]["loss"] < card["before"]["loss"]
    assert (tmp_path / "tuned" / "adapter_model.safetensors").is_file()
    assert "wanted reply is likelier" in (tmp_path / "tuned" / "report.html").read_text(encoding="utf-8")
