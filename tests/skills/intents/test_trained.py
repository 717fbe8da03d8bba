"""Skills over a folder that the command `tune-labels` made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dialog.errors import SkillError
from dialog.testing.skills import FixedTools
from skills.intents import Intents, TrainedIntents
from skills.intents.skill import Said
from skills.sentiment import SentimentSkill, Text, TrainedJudge
from training.encoder.cli import app


def made(folder: Path, said: dict[str, tuple[str, ...]], *options: str) -> Path:
    """A labeller's folder, by the command."""
    lines = [
        json.dumps({"text": form.format(number), "label": label}, ensure_ascii=False)
        for label, forms in said.items()
        for form in forms
        for number in range(100, 112)
    ]
    (folder / "said.jsonl").write_text("\n".join(lines), encoding="utf-8")
    app(
        [str(folder / "said.jsonl"), "--out", str(folder / "out"), "--light", *options], standalone_mode=False
    )
    return folder / "out"


@pytest.fixture(scope="module")
def intents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    said = {
        "parcel": ("where is order {}", "订单{}到哪儿了"),
        "refund": ("money back for {} please", "请退{}元"),
        "oos": ("who wrote book {}", "第{}首诗是谁写的"),
    }
    return made(tmp_path_factory.mktemp("intents"), said, "--none", "oos")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("where is order 999", "parcel"),
        ("请退999元", "refund"),
        ("who wrote book 9", None),
        ("第9首诗是谁写的", None),
    ],
)
def test_the_skill_names_the_intent_or_none(intents: Path, text: str, name: str | None):
    (found,) = Intents().work([Said(text=text)], FixedTools(options={"intents": {"model": str(intents)}}))
    assert found.name == name


def test_intents_and_none_of_them_share_the_probability(intents: Path):
    (found,) = TrainedIntents.load(intents).classify(["第9首诗是谁写的"])
    assert sum(p for _, p in found.ranked) + found.confidence == pytest.approx(1.0, abs=1e-5)


def test_sentiment_refuses_labels_that_are_no_sentiments(intents: Path):
    with pytest.raises(SkillError, match="'parcel' is no sentiment"):
        TrainedJudge.load(intents)


def test_sentiment_by_a_trained_folder(tmp_path: Path):
    said = {"正面": ("第{}次买，很好用", "{} times great"), "负面": ("第{}次就坏了，很差", "{} times broken")}
    tools = FixedTools(options={"sentiment": {"model": str(made(tmp_path, said))}})
    good, bad = SentimentSkill().work([Text(text="第7次买，很好用"), Text(text="7 times broken")], tools)
    assert (good.sentiment, bad.sentiment) == ("positive", "negative")
    assert bad.evidence is not None
    assert bad.evidence.text == "7 times broken"
