"""The view of trained tokens shows exactly the examples."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from dialog.testing.words import WordTokenizer
from dialog.values import Message, Transcript
from training.examples import build_examples
from training.view import trained_tokens

EN = [("Where is my parcel?", "It was sent."), ("And the fee?", "19.90.")]
ZH = [("我的快递到哪里了？", "已发货。"), ("运费呢？", "十元。")]
both_languages = pytest.mark.parametrize("said", [EN, ZH], ids=["en", "zh"])


def transcript(said: list[tuple[str, str]], **of_first: object) -> Transcript:
    messages = []
    for number, (asked, replied) in enumerate(said):
        messages.append(Message(role="user", content=asked))
        fields = of_first if number == 0 else {}
        messages.append(Message.model_validate({"role": "assistant", "content": replied, **fields}))
    return Transcript(id="c-1", messages=tuple(messages))


@both_languages
def test_the_stretches_are_the_examples_tokens(said: list[tuple[str, str]]) -> None:
    tokenizer = WordTokenizer()
    (sequence,) = trained_tokens(transcript(said), tokenizer, limit_tokens=500).sequences
    (example,) = build_examples(transcript(said), tokenizer, limit_tokens=500).examples
    assert "".join(stretch.text for stretch in sequence) == tokenizer.decode(example.ids)
    assert sum(stretch.num_tokens for stretch in sequence if stretch.weight) == example.num_supervised


@both_languages
def test_replies_are_trained_on_and_questions_are_not(said: list[tuple[str, str]]) -> None:
    (sequence,) = trained_tokens(transcript(said), WordTokenizer(), limit_tokens=500).sequences
    trained = "".join(stretch.text for stretch in sequence if stretch.weight)
    assert all(replied in trained for _, replied in said)
    assert not any(asked in trained for asked, _ in said)


def test_a_weight_is_shown_as_it_is() -> None:
    (sequence,) = trained_tokens(transcript(EN, weight=0.5), WordTokenizer(), limit_tokens=500).sequences
    assert {stretch.weight for stretch in sequence if stretch.kind == "agent"} == {0.5, 1.0}


def test_what_is_not_trained_on_says_why() -> None:
    shown = trained_tokens(transcript(EN[:1], loss=False), WordTokenizer(), limit_tokens=500)
    assert shown.sequences == ()
    assert shown.notes == ('not trained on: every agent message has "loss": false or weight 0',)


def test_the_entry_point_leads_here() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    groups = tomllib.loads(text)["project"]["entry-points"]
    view = EntryPoint("trained", groups["instructrec.views"]["trained"], "instructrec.views").load()
    assert view is trained_tokens
