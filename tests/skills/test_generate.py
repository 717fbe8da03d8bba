"""`generate`: rules are checked by code, failures said back, the best attempt comes with what it breaks."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from dialog.events import Notice, TextDelta
from dialog.testing import FixedTools, FixedTurn, ScriptedModel
from skills.generate import Generate, Input, written
from skills.generate.request import request
from skills.generate.rules import violations


def rules(text: str, **given: object) -> list[str]:
    item = Input.model_validate({"instruction": "Write", **given})
    return [f"{one.rule}: {one.detail}" for one in violations(text, item)]


@pytest.mark.parametrize(
    ("text", "given", "broken"),
    [
        ("Your parcel left.", {"max_words": 3, "min_words": 3}, []),
        ("Your parcel left.", {"max_words": 2}, ["max_words: 3 words, at most 2"]),
        ("您的包裹", {"language": "zh", "min_words": 5}, ["min_words: 4 words, at least 5"]),
        ("您的包裹", {}, ["language: written in 'zh', not in 'en'"]),
        ("", {"language": "zh"}, ["language: nothing was written, not in 'zh'"]),
        ("It costs ¥1999.", {"must_include": ["¥199"]}, ["must_include: ¥199"]),
        ("It costs 5.50.", {"must_include": ["5"]}, ["must_include: 5"]),
        ("Order mk-10482.", {"must_include": ["MK-10482"]}, []),
        ("We concatenate.", {"must_not_include": ["cat"]}, []),
        ("可以全额退款。", {"language": "zh", "must_not_include": ["全额"]}, ["must_not_include: 全额"]),
        ("One\ntwo", {"kind": "title"}, ["one_line: 2 lines"]),
    ],
)
def test_rules_are_checked_exactly(text: str, given: dict[str, object], broken: list[str]) -> None:
    assert rules(text, **given) == broken


@pytest.mark.parametrize(
    ("instruction", "phrase", "bad", "good"),
    [
        ("Apologise for the delay.", "MK-10482", "Sorry!", "Sorry about MK-10482."),
        ("为延误道歉。", "MK-10482", "很抱歉！", "MK-10482延误了，很抱歉。"),
    ],
)
def test_what_is_broken_is_said_back_until_it_is_kept(
    instruction: str, phrase: str, bad: str, good: str
) -> None:
    model = ScriptedModel([bad, good])
    output = written(Input(instruction=instruction, must_include=(phrase,)), model)
    assert (output.text, output.attempts, output.violations) == (good, 2, ())
    assert phrase in model.prompts[0].text
    assert bad in model.prompts[1].text


def test_the_best_attempt_is_returned_with_what_it_breaks() -> None:
    model = ScriptedModel(["No.", "Sorry, no refund for you at all today.", "No."])
    item = Input(instruction="Refuse.", must_include=("sorry", "refund"), max_words=4)
    output = written(item, model)
    assert (output.text, output.attempts) == ("Sorry, no refund for you at all today.", 3)
    assert [one.rule for one in output.violations] == ["max_words"]


def test_retries_are_counted_and_may_be_none() -> None:
    output = written(Input(instruction="Refuse.", must_include=("sorry",), retries=0), ScriptedModel(["No."]))
    assert (output.attempts, output.violations[0].detail) == (1, "sorry")


def test_a_language_the_model_does_not_write_is_said_and_not_tried() -> None:
    model = ScriptedModel([], languages=("en",))
    output = written(Input(instruction="写一条回复"), model)
    assert (output.text, output.attempts, output.language) == ("", 0, "zh")
    assert "does not write 'zh'" in output.violations[0].detail


def test_rules_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_words is 9 and max_words 3"):
        Input(instruction="x", min_words=9, max_words=3)
    with pytest.raises(ValidationError, match="blank"):
        Input(instruction="x", must_include=(" ",))


@pytest.mark.parametrize(
    ("text", "kind", "max_words", "language"),
    [
        ("Please write an email of at most 50 words to the courier", "email", 50, None),
        ("draft a reply in Chinese", "reply", None, "zh"),
        ("Suggest a title for this ticket", "title", None, None),
        ("帮我写一封邮件给快递公司，不超过80字", "email", 80, None),
        ("起草一条回复，用英文", "reply", None, "en"),
        ("请拟一个标题", "title", None, None),
    ],
)
def test_a_request_in_words_becomes_an_item(
    text: str, kind: str, max_words: int | None, language: str | None
) -> None:
    item = request(text)
    assert item is not None
    assert (item.kind, item.max_words, item.language) == (kind, max_words, language)


@pytest.mark.parametrize(
    "text",
    [
        "Where is my email?",
        "I wrote to you last week",
        "Can you write a message on the gift card?",
        "我的邮件呢",
        "信用卡可以吗",
        "写错了收货信息怎么办",
        "写邮件给客服多久能收到回复？",
    ],
)
def test_what_asks_for_no_text_is_not_taken(text: str) -> None:
    assert Generate().matches(FixedTurn(text)) == 0.0


def test_in_a_conversation_what_is_broken_is_told() -> None:
    tools = FixedTools(model=ScriptedModel(["Far too long an answer."] * 3))
    events = list(Generate().run(FixedTurn("Write a reply of at most 2 words", tools=tools)))
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Far too long an answer."]
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "the text breaks max_words: 5 words, at most 2"
    ]


def test_the_cases_are_of_both_languages_and_are_inputs() -> None:
    path = Generate.spec.cases
    assert path is not None
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for case in cases:
        assert Input.model_validate(case["input"]).spoken == case["language"] == case["expect"]["language"]
    assert min(sum(case["language"] == one for case in cases) for one in ("zh", "en")) >= 12
