"""Whole conversations along the sample shop's flows."""

from __future__ import annotations

import pytest

from dialog import DialogAgent
from dialog.testing import FixedRetriever, passage
from tests.skills.support.conftest import Desk

FEE = passage("Cancelling costs nothing. It costs nothing.")


def talk(agent: DialogAgent, *said: str) -> list[str]:
    return [agent.reply(text, conversation_id="c").text for text in said]


@pytest.mark.parametrize(
    ("said", "asked", "confirm", "last"),
    [
        (
            ("Please cancel my order", "mk-10482", "yes please"),
            "What is the order number?",
            "Cancel order MK-10482 (Wren 0.9)?",
            "I have asked the shop to cancel MK-10482.",
        ),
        (
            ("我要取消订单", "是MK-10482", "对的"),
            "请问订单号是多少？",
            "要取消订单 MK-10482（Wren 0.9）吗？",
            "已请店里取消订单 MK-10482。",
        ),
    ],
)
def test_a_flow_asks_confirms_and_proposes_an_action(
    desk: Desk, said: tuple[str, ...], asked: str, confirm: str, last: str
) -> None:
    agent = desk()
    assert talk(agent, *said) == [asked, confirm, last]
    (pending,) = agent.pending("c")
    assert (pending.name, pending.arguments) == ("cancel_order", {"order_no": "MK-10482"})
    state = agent.state("c")
    assert (state.intent, state.skill) == ("cancel_order", None)
    assert {name: slot.value for name, slot in state.slots.items()} == {"order_no": "MK-10482"}


def test_nothing_is_proposed_without_a_yes(desk: Desk) -> None:
    agent = desk()
    talk(agent, "cancel MK-10482", "not ok", "never mind")
    assert agent.pending("c") == ()
    assert agent.state("c").skill is None


@pytest.mark.parametrize(
    ("opening", "correction", "confirm"),
    [
        ("cancel MK-10482", "No, MK-10483", "Cancel order MK-10483 (Slatefire 26)?"),
        ("cancel MK-10482", "sorry, MK-10483, not MK-10482", "Cancel order MK-10483 (Slatefire 26)?"),
        ("取消 MK-10482", "不对，是MK-10483，不是MK-10482", "要取消订单 MK-10483（Slatefire 26）吗？"),
        ("cancel MK-10482", "the order number is wrong", "What is the order number?"),
        ("取消 MK-10482", "订单号错了", "请问订单号是多少？"),
    ],
)
def test_a_value_is_corrected(desk: Desk, opening: str, correction: str, confirm: str) -> None:
    assert talk(desk(), opening, correction)[-1] == confirm


def test_a_free_text_does_not_swallow_a_correction(desk: Desk) -> None:
    agent = desk()
    talk(agent, "change the address of MK-10482", "不对，订单号是 MK-10483")
    slots = agent.state("c").slots
    assert slots["order_no"].value == "MK-10483"
    assert "address" not in slots


@pytest.mark.parametrize(
    ("opening", "question", "again"),
    [
        ("cancel my order", "What does it cost?", "What is the order number?"),
        ("取消订单", "要收多少钱？", "请问订单号是多少？"),
    ],
)
def test_a_question_in_between_is_answered_and_the_flow_goes_on(
    desk: Desk, opening: str, question: str, again: str
) -> None:
    agent = desk(FixedRetriever([FEE]))
    reply = talk(agent, opening, question)[-1]
    assert "nothing" in reply
    assert reply.endswith(f"\n\n{again}")
    assert agent.state("c").skill == "support"


def test_a_free_text_called_wrong_is_asked_for_again(desk: Desk) -> None:
    replies = talk(desk(), "改地址 MK-10482", "改成文三路1号", "不对，是2号")
    assert replies[1:] == ["把订单 MK-10482 寄到：文三路1号，对吗？", "请问新的收货地址是什么？"]


def test_of_two_days_none_is_picked(desk: Desk) -> None:
    agent = desk()
    talk(agent, "return MK-10482", "yesterday", "broken", "tomorrow or Friday")
    assert "pickup" not in agent.state("c").slots


def test_a_question_beside_a_value_is_answered_too(desk: Desk) -> None:
    agent = desk(FixedRetriever([FEE]))
    reply = talk(agent, "cancel my order", "It is MK-10482. What does it cost?")[-1]
    assert "nothing" in reply
    assert reply.endswith("Cancel order MK-10482 (Wren 0.9)?")


def test_another_matter_comes_between_and_the_first_is_gone_on_with(desk: Desk) -> None:
    agent = desk()
    replies = talk(
        agent,
        "I want to return something",
        "first cancel another order",
        "MK-10482",
        "yes",
    )
    assert replies[1] == "What is the order number?"
    assert replies[3] == (
        "I have asked the shop to cancel MK-10482.\nBack to “return something”. What is the order number?"
    )
    assert [pending.name for pending in agent.pending("c")] == ["cancel_order"]


@pytest.mark.parametrize(
    ("opening", "wrong", "told"),
    [
        ("cancel my order", "MK-1048", "“MK-1048” is not a valid order number."),
        ("取消订单", "MK-1048", "“MK-1048”不是有效的订单号。"),
        ("cancel my order", "MK-99999", "I find nothing for order number “MK-99999”."),
        (
            "cancel my order",
            "MK-10482 and MK-10483",
            "“MK-10482 / MK-10483” can be read in more than one way.",
        ),
    ],
)
def test_a_wrong_answer_is_told_and_the_second_one_fetches_a_person(
    desk: Desk, opening: str, wrong: str, told: str
) -> None:
    agent = desk()
    assert talk(agent, opening, wrong)[-1].startswith(told)
    assert agent.reply(wrong, conversation_id="c").finish_reason == "handed_off"


def test_a_rule_refuses(desk: Desk) -> None:
    agent = desk()
    assert "cannot be cancelled" in talk(agent, "cancel MK-10517")[-1]
    assert agent.state("c").skill is None
    returned = talk(agent, "return MK-10482", "2 months ago", "2026-01-02")
    assert returned[-1] == "Returns are possible within 30 days of delivery; 2026-01-02 is longer ago."


def test_two_dates_of_one_message_go_where_their_ranges_send_them(desk: Desk) -> None:
    agent = desk()
    talk(agent, "退货 MK-10482，昨天收到的，坏了，后天来取")
    slots = {name: slot.value for name, slot in agent.state("c").slots.items() if name != "flow"}
    assert slots == {
        "order_no": "MK-10482",
        "received": "2026-03-03",
        "reason": "broken",
        "pickup": "2026-03-06",
    }


@pytest.mark.parametrize(
    ("said", "wants", "known"),
    [
        (("cancel MK-10482", "I want to talk to a human"), "cancel an order", "order number = MK-10482"),
        (("取消 MK-10482", "转人工"), "取消订单", "订单号 = MK-10482"),
    ],
)
def test_the_person_who_takes_over_is_told_what_is_known(
    desk: Desk, said: tuple[str, ...], wants: str, known: str
) -> None:
    agent = desk()
    talk(agent, *said)
    handoff = agent.state("c").handoff
    assert handoff.status == "waiting"
    assert wants in handoff.briefing
    assert known in handoff.briefing
    assert all(f"- {text}" in handoff.briefing for text in said)


def test_questions_without_an_answer_fetch_a_person(desk: Desk) -> None:
    agent = desk(FixedRetriever([], confidence=0.0))
    first = agent.reply("Where do kettles grow?", conversation_id="c")
    second = agent.reply("水壶长在哪里？", conversation_id="c")
    assert (first.finish_reason, second.finish_reason) == ("abstained", "handed_off")
    assert "资料中没有答案" in agent.state("c").handoff.reason


def test_a_flow_goes_on_after_a_restart_and_back_after_undo(desk: Desk) -> None:
    before = desk()
    talk(before, "I want to cancel my order")
    before.close()
    after = desk()
    assert talk(after, "MK-10482") == ["Cancel order MK-10482 (Wren 0.9)?"]
    after.undo("c")
    assert "order_no" not in after.state("c").slots
    assert talk(after, "MK-10483") == ["Cancel order MK-10483 (Slatefire 26)?"]


@pytest.mark.parametrize(
    ("said", "briefed"),
    [
        (("cancel MK-10482", "yes"), "order number = MK-10482"),
        (("取消订单 MK-10482", "对的"), "订单号"),
    ],
)
def test_an_action_that_nobody_declared_is_a_persons_and_not_claimed(
    desk: Desk, said: tuple[str, ...], briefed: str
) -> None:
    agent = desk(declared=("request_return",))
    reply = [agent.reply(text, conversation_id="c") for text in said][-1]
    assert "MK-10482" not in reply.text
    assert any("no action 'cancel_order' is declared" in notice for notice in reply.notices)
    handoff = agent.state("c").handoff
    assert handoff is not None
    assert briefed in handoff.briefing
    assert agent.state("c").actions == {}
