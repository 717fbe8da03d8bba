"""Slots that an approved answer of the documents needs are asked for, read, and filled in."""

from __future__ import annotations

import pytest

from dialog.testing import FixedRetriever, passage
from dialog.values import Passage
from skills.support import Flows
from tests.skills.support.conftest import Desk


def template(question: str, answer: str) -> FixedRetriever:
    found: Passage = passage(f"{question}\n{answer}", id="t").model_copy(
        update={"answer": answer, "language": "und", "metadata": {"template": "yes"}}
    )
    return FixedRetriever([found])


@pytest.mark.parametrize(
    ("question", "answer", "given", "said"),
    [
        (
            "Where is my parcel?",
            "Parcel {parcel:id} is on its way.",
            "It's PK-2041",
            "Parcel PK-2041 is on its way.",
        ),
        ("我的包裹在哪里？", "包裹{包裹号:id}在路上。", "PK-2041", "包裹PK-2041在路上。"),
        ("When do you come?", "We come on {day:date}.", "tomorrow please", "We come on 2026-03-05."),
        ("什么时候上门？", "{日期:date}上门。", "下周五", "2026-03-13上门。"),
    ],
)
def test_what_an_approved_answer_lacks_is_read_from_the_next_message(
    desk: Desk, question: str, answer: str, given: str, said: str
) -> None:
    agent = desk(template(question, answer), flows=Flows())
    asked = agent.reply(question, conversation_id="c")
    assert len(asked.needs) == 1
    reply = agent.reply(given, conversation_id="c")
    assert (reply.text, reply.mode, reply.needs) == (said, "template", ())
    assert reply.citations
    assert agent.state("c").skill is None


def test_what_the_question_says_already_is_not_asked_for(desk: Desk) -> None:
    agent = desk(template("Where is my parcel?", "Parcel {parcel:id} is on its way."), flows=Flows())
    assert (
        agent.reply("Where is my parcel PK-2041?", conversation_id="c").text
        == "Parcel PK-2041 is on its way."
    )


def test_half_of_what_is_needed_is_kept_and_the_rest_asked_for(desk: Desk) -> None:
    agent = desk(template("Refund?", "{amount:money} for {parcel:id}."), flows=Flows())
    agent.reply("Refund?", conversation_id="c")
    half = agent.reply("$19.50", conversation_id="c")
    assert half.needs == ("parcel",)
    assert agent.reply("PK-2041", conversation_id="c").text == "19.50 USD for PK-2041."


def test_a_message_that_gives_nothing_of_it_is_a_new_one(desk: Desk) -> None:
    agent = desk(template("Where is my parcel?", "Parcel {parcel:id} is on its way."), flows=Flows())
    agent.reply("Where is my parcel?", conversation_id="c")
    assert agent.reply("I do not have one", conversation_id="c").needs == ("parcel",)
    assert agent.state("c").slots["flow"].value["question"] == "I do not have one"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Please cancel my order", "What is the order number?"),
        ("Can I cancel my order?", "Under My orders."),
        ("请取消订单", "请问订单号是多少？"),
        ("可以取消订单吗？", "在“我的订单”里。"),
    ],
)
def test_a_wish_starts_its_flow_and_a_question_gets_the_approved_answer(
    desk: Desk, said: str, told: str
) -> None:
    answer = "Under My orders." if said.isascii() else "在“我的订单”里。"
    assert desk(template(said, answer)).reply(said, conversation_id="c").text == told
