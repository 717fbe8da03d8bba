"""Sentiment by rules and by labellers: cases in both languages, negation, contrast, evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from dialog.errors import SkillError
from dialog.events import TextDelta
from dialog.testing.skills import FixedTools, FixedTurn
from skills.sentiment import Sentiment, SentimentSkill, Text
from skills.sentiment.lexicon import load_lexicon
from skills.sentiment.rules import score
from skills.sentiment.skill import judged

SKILL = SentimentSkill()
CASES = [json.loads(line) for line in SentimentSkill.spec.cases.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=[case["input"]["text"][:24] for case in CASES])
def test_the_cases_hold(case: dict):
    (found,) = SKILL.work([Text(**case["input"])], FixedTools())
    made = found.model_dump()
    assert {name: made[name] for name in case["expect"]} == case["expect"]


@pytest.mark.parametrize(
    ("plain", "denied"),
    [("The room is clean", "The room is not clean"), ("房间干净", "房间不干净"), ("好吃", "一点都不好吃")],
)
def test_a_denied_praise_is_blame(plain: str, denied: str):
    assert score(plain) > 0 > score(denied)


@pytest.mark.parametrize(("good", "not_bad"), [("It is good", "It is not bad"), ("味道好", "味道不差")])
def test_a_denied_blame_is_weaker_than_praise(good: str, not_bad: str):
    assert score(good) > score(not_bad) > 0


@pytest.mark.parametrize(
    ("first", "second"),
    [("It is fast, but noisy", "It is noisy, but fast"), ("很快，但是吵", "很吵，但是快")],
)
def test_what_comes_after_but_counts_more(first: str, second: str):
    assert score(first) < score(second)


@pytest.mark.parametrize(
    ("text", "clause"),
    [("The bed was soft, the bathroom was filthy and dirty.", "the bathroom was filthy and dirty"),
     ("床很软，浴室又脏又臭。", "浴室又脏又臭")],
)  # fmt: skip
def test_evidence_is_the_clause_that_says_it(text: str, clause: str):
    (found,) = SKILL.work([Text(text=text)], FixedTools())
    assert found.sentiment == "negative"
    assert found.evidence is not None
    assert found.evidence.text == clause == text[found.evidence.start : found.evidence.end]


def test_aspects_are_judged_by_the_clauses_that_name_them():
    text = "价格便宜，但是服务很差"
    (found,) = SKILL.work([Text(text=text, aspects=("价格|价钱", "服务", "早餐"))], FixedTools())
    assert [(one.aspect, one.sentiment) for one in found.aspects] == [
        ("价格|价钱", "positive"), ("服务", "negative"), ("早餐", None),
    ]  # fmt: skip


def test_an_aspect_alone_in_its_clause_is_judged_by_the_next_one():
    (found,) = SKILL.work([Text(text="The staff, they were rude.", aspects=("staff",))], FixedTools())
    assert found.aspects[0].sentiment == "negative"


def test_any_judge_fits():
    def always_blames(texts: Sequence[str]) -> list[Mapping[Sentiment, float]]:
        return [{"positive": 0.2, "negative": 0.8} for _ in texts]

    found = judged(Text(text="It is great, really"), always_blames)
    assert (found.sentiment, found.confidence) == ("negative", 0.8)


def test_no_word_both_praises_and_blames():
    for language in ("en", "zh"):
        lexicon = load_lexicon(language)
        assert not set(lexicon.praise) & set(lexicon.blame)


def test_in_a_conversation_it_names_the_words():
    turn = FixedTurn("东西很好用", tools=FixedTools())
    said = "".join(event.text for event in SKILL.run(turn) if isinstance(event, TextDelta))
    assert "positive" in said
    assert "东西很好用" in said


def test_unknown_options_are_refused():
    with pytest.raises(SkillError, match="has no 'modell'"):
        list(SKILL.work([Text(text="x")], FixedTools(options={"sentiment": {"modell": "a"}})))
