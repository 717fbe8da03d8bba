"""Routing: the skill that fits, a question where two do, the default where none does; leaving."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import pytest

from dialog import DialogAgent
from dialog.choosing import is_leaving, understood
from dialog.events import Event
from dialog.routing import routed
from dialog.settings import SkillsSection
from dialog.skill import SkillSpec, SkillTurn
from dialog.testing import FixedTurn
from dialog.values import Language

MakeAgent = Callable[..., DialogAgent]
DEFAULT = 'skills.default="plain"'


class Fits:
    """A skill that fits texts with one of its words by so much, and says its name and the text."""

    def __init__(
        self,
        name: str,
        fits: Mapping[str, float],
        *,
        titles: Mapping[Language, str] | None = None,
        languages: tuple[Language, ...] = ("zh", "en"),
    ) -> None:
        self.spec = SkillSpec(name=name, description=name, titles=titles or {}, languages=languages)
        self.left = False
        self._fits = fits

    def matches(self, turn: SkillTurn) -> float:
        return max((fit for word, fit in self._fits.items() if word in turn.text), default=0.0)

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        if "keep" in turn.text or "继续" in turn.text:
            turn.set_slot("kept", "yes")
            turn.enter(self.spec.name)
        return turn.say(f"{self.spec.name}: {turn.text}")

    def leave(self, turn: SkillTurn) -> Iterator[Event]:
        turn.set_slot("kept", None)
        turn.enter(None)
        return turn.say("不办了。" if turn.language == "zh" else "Dropped.")


class Raising(Fits):
    def matches(self, turn: SkillTurn) -> float:
        raise ZeroDivisionError("no idea")


def skills() -> list[Fits]:
    return [
        Fits("plain", {"": 0.4}),
        Fits(
            "orders",
            {"parcel": 0.9, "refund": 0.8, "包裹": 0.9, "退款": 0.8},
            titles={"en": "an order of yours", "zh": "您的订单"},
        ),
        Fits("prices", {"price": 0.9, "refund": 0.8, "价格": 0.9, "退款": 0.8}, titles={"zh": "价格咨询"}),
    ]


def at(text: str, **settings: float) -> tuple[str, tuple[str, ...]]:
    route = routed(skills(), FixedTurn(text), SkillsSection(default="plain", **settings))
    return route.skill.spec.name, tuple(skill.spec.name for skill in route.rivals)


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("my parcel", "orders"),
        ("the price", "prices"),
        ("hello you", "plain"),
        ("我的包裹", "orders"),
        ("什么价格", "prices"),
        ("天气如何", "plain"),
    ],
)
def test_the_skill_that_fits_has_the_turn_and_the_default_what_fits_none(text: str, skill: str) -> None:
    assert at(text) == (skill, ())


@pytest.mark.parametrize("text", ["a refund", "退款"])
def test_a_tie_is_asked_about_and_a_fit_too_weak_is_not(text: str) -> None:
    assert at(text) == ("orders", ("orders", "prices"))
    assert at(text, margin=0.0) == ("orders", ())
    assert at(text, min_confidence=0.85) == ("plain", ())


def test_the_margin_decides_what_is_close() -> None:
    assert at("parcel price") == ("orders", ("orders", "prices"))
    assert at("parcel refund", margin=0.05) == ("orders", ())
    assert at("parcel refund", margin=0.11) == ("orders", ("orders", "prices"))


def test_what_is_no_better_than_the_default_is_not_picked() -> None:
    some = [Fits("plain", {"": 0.8}), Fits("other", {"": 0.8})]
    assert routed(some, FixedTurn("x"), SkillsSection(default="plain")).skill is some[0]


def test_a_skill_is_not_picked_for_a_language_it_does_not_speak() -> None:
    some = [Fits("plain", {}), Fits("other", {"": 0.9}, languages=("zh",))]
    settings = SkillsSection(default="plain")
    assert routed(some, FixedTurn("hello"), settings).skill is some[0]
    assert routed(some, FixedTurn("您好"), settings).skill is some[1]


@pytest.mark.parametrize("text", ["my parcel", "我的包裹"])
def test_a_skill_that_raises_is_passed_over_and_told_of(make_agent: MakeAgent, text: str) -> None:
    some = [*skills(), Raising("broken", {}), Fits("odd", {"": math.nan}), Fits("bold", {"": 1.5})]
    with make_agent(skills=some, overrides=[DEFAULT]) as agent:
        reply = agent.reply(text, conversation_id="c")
    assert reply.skill == "orders"
    assert reply.notices[0] == "skill 'broken' was passed over: ZeroDivisionError: no idea"
    assert len(reply.notices) == 3


@pytest.mark.parametrize(
    ("said", "question", "answer", "skill"),
    [
        ("a refund", "Do you mean an order of yours, or prices?", "the second one", "prices"),
        ("a refund", "Do you mean an order of yours, or prices?", "my order", "orders"),
        ("要退款", "您是指“您的订单”，还是“价格咨询”？", "第一个", "orders"),
        ("要退款", "您是指“您的订单”，还是“价格咨询”？", "价格咨询。", "prices"),
    ],
)
def test_the_answer_routes_the_message_that_was_asked_about(
    make_agent: MakeAgent, said: str, question: str, answer: str, skill: str
) -> None:
    with make_agent(skills=skills(), overrides=[DEFAULT]) as agent:
        asked = agent.reply(said, conversation_id="c")
        assert (asked.text, asked.choices, asked.skill) == (question, ("orders", "prices"), "")
    with make_agent(skills=skills(), overrides=[DEFAULT]) as agent:  # another process understands it, too
        reply = agent.reply(answer, conversation_id="c")
        assert (reply.text, reply.choices) == (f"{skill}: {said}", ())


def test_an_answer_that_says_more_is_the_message(make_agent: MakeAgent) -> None:
    with make_agent(skills=skills(), overrides=[DEFAULT]) as agent:
        agent.reply("a refund", conversation_id="c")
        text = "my order MK-10482 never arrived"
        assert agent.reply(text, conversation_id="c").text == f"orders: {text}"


@pytest.mark.parametrize(("said", "answer"), [("a refund", "neither of them"), ("要退款", "都不是")])
def test_neither_is_asked_to_be_said_otherwise(make_agent: MakeAgent, said: str, answer: str) -> None:
    with make_agent(skills=skills(), overrides=[DEFAULT]) as agent:
        agent.reply(said, conversation_id="c")
        reply = agent.reply(answer, conversation_id="c")
        assert "in other words" in reply.text or "换个说法" in reply.text
        assert agent.reply("hello you", conversation_id="c").skill == "plain"


@pytest.mark.parametrize(("said", "other"), [("a refund", "my parcel"), ("要退款", "我的包裹")])
def test_another_subject_instead_of_an_answer_is_routed_anew(
    make_agent: MakeAgent, said: str, other: str
) -> None:
    with make_agent(skills=skills(), overrides=[DEFAULT]) as agent:
        agent.reply(said, conversation_id="c")
        assert agent.reply(other, conversation_id="c").text == f"orders: {other}"
        assert agent.reply("1", conversation_id="c").skill == "plain"  # the question is closed


@pytest.mark.parametrize(
    ("said", "leaving"), [("keep my parcel", "Oh never mind."), ("继续查包裹", "那算了吧。")]
)
def test_the_skill_in_charge_is_left_and_tidies_up(make_agent: MakeAgent, said: str, leaving: str) -> None:
    with make_agent(skills=skills(), overrides=[DEFAULT]) as agent:
        agent.reply(said, conversation_id="c")
        assert agent.reply("price", conversation_id="c").skill == "orders"
        left = agent.reply(leaving, conversation_id="c")
        assert left.mode == "fixed"
        assert (agent.state("c").skill, agent.state("c").slots) == (None, {})
        assert agent.reply("price", conversation_id="c").skill == "prices"
        assert agent.reply(leaving, conversation_id="c").skill == "plain"  # nothing is left to leave


def test_a_skill_in_charge_that_is_gone_is_told_of(make_agent: MakeAgent) -> None:
    with make_agent(skills=skills(), overrides=[DEFAULT]) as agent:
        agent.reply("my parcel", conversation_id="c")
        agent.enter_skill("c", "gone")
        reply = agent.reply("the price", conversation_id="c")
    assert (reply.skill, "'gone'" in reply.notices[0]) == ("prices", True)


@pytest.mark.parametrize("text", ["Never mind that I paid twice", "算了一下总价", "stop the subscription"])
def test_what_says_more_does_not_leave(text: str) -> None:
    assert not is_leaving(text)


def test_an_answer_that_names_both_or_none_picks_nothing() -> None:
    titles = {"orders": "an order", "prices": "a price"}
    assert understood("the order and its price", titles) is None
    assert understood("what about the weather", titles) is None
