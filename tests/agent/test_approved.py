"""Approved answers, and what becomes of sentences no passage supports."""

from __future__ import annotations

import pytest

from dialog.testing import FixedRetriever, ScriptedModel, passage
from dialog.values import Passage
from tests.agent.conftest import MakeAgent

LABEL = passage("A return label costs $6. Gift cards cannot be returned.")


def entry(question: str, answer: str, *, language: str = "en", **metadata: object) -> Passage:
    plain = passage(f"{question}\n{answer}", id=question)
    return plain.model_copy(update={"answer": answer, "language": language, "metadata": metadata})


def test_an_approved_answer_is_given_word_for_word_and_the_model_not_asked(make_agent: MakeAgent) -> None:
    model = ScriptedModel(["unused"])
    found = entry("How long are gift cards valid?", "For three years.")
    reply = make_agent(model, FixedRetriever([found])).reply("How long are your gift cards valid?")
    assert (reply.text, reply.mode) == ("For three years.", "template")
    assert reply.citations[0].quote == "For three years."
    assert model.prompts == []


def test_an_answer_in_another_language_is_not_given(make_agent: MakeAgent) -> None:
    found = entry("礼品卡有效期多久？", "三年。", language="zh")
    reply = make_agent(ScriptedModel(["?"]), FixedRetriever([found])).reply(
        "礼品卡 is what in English please"
    )
    assert reply.mode != "template"


@pytest.mark.parametrize(
    ("language", "question", "template", "slot", "said"),
    [
        (
            "en",
            "Where is my parcel?",
            "Parcel {parcel_number:id} is on its way.",
            "parcel_number",
            "parcel number",
        ),
        ("zh", "我的包裹在哪里？", "包裹{包裹号:id}正在路上。", "包裹号", "包裹号"),
    ],
)
def test_a_template_asks_for_what_it_lacks_and_then_uses_it(
    make_agent: MakeAgent, language: str, question: str, template: str, slot: str, said: str
) -> None:
    agent = make_agent(
        ScriptedModel(["unused"]),
        FixedRetriever([entry(question, template, language=language, template="yes")]),
    )
    asked = agent.reply(question, conversation_id="c")
    assert (asked.mode, asked.needs) == ("fixed", (slot,))
    assert said in asked.text
    assert "{" not in asked.text
    agent.set_slots("c", {slot: "MK-2041"}, source="orders")
    assert agent.state("c").slots[slot].source == "orders"
    told = agent.reply(question, conversation_id="c")
    assert (told.mode, told.needs) == ("template", ())
    assert told.text == template.replace(f"{{{slot}:id}}", "MK-2041")
    assert told.citations[0].quote == template


def test_a_slot_of_the_wrong_kind_is_asked_for_again_and_said(make_agent: MakeAgent) -> None:
    found = entry("Where is it?", "Parcel {parcel:id} is on its way.", template="yes")
    agent = make_agent(ScriptedModel(["unused"]), FixedRetriever([found]))
    agent.set_slots("c", {"parcel": "call this number: 555 0100"}, source="a form")
    reply = agent.reply("Where is it?", conversation_id="c")
    assert reply.needs == ("parcel",)
    assert "555" not in reply.text
    assert "'parcel' does not fit" in reply.notices[0]


def test_a_forgotten_slot_is_missing(make_agent: MakeAgent) -> None:
    found = entry("Where is it?", "Parcel {parcel} is on its way.", template="yes")
    agent = make_agent(ScriptedModel(["unused"]), FixedRetriever([found]))
    agent.set_slots("c", {"parcel": "A-1"}, source="orders")
    agent.set_slots("c", {"parcel": None}, source="orders")
    assert agent.reply("Where is it?", conversation_id="c").needs == ("parcel",)


def test_an_unfinished_template_is_never_shown_to_the_model_or_quoted(make_agent: MakeAgent) -> None:
    model = ScriptedModel(["The label is $99."])
    template = entry("Where is it?", "Parcel {parcel} is on its way.", template="yes")
    reply = make_agent(model, FixedRetriever([LABEL, template])).reply("How much is the return label?")
    assert "{parcel}" not in model.prompts[0].text
    assert reply.text == "A return label costs $6. Gift cards cannot be returned."


def test_marked_sentences_are_shown_with_their_place(make_agent: MakeAgent) -> None:
    draft = "The return label costs $6. It is sent by pigeon within the hour."
    agent = make_agent(ScriptedModel([draft]), FixedRetriever([LABEL]), ["knowledge.on_unsupported=mark"])
    reply = agent.reply("How much is the return label?")
    assert reply.text == draft
    ((start, end),) = reply.unsupported
    assert reply.text[start:end] == "It is sent by pigeon within the hour."
    assert reply.notices == ("no passage supports: 'It is sent by pigeon within the hour.'",)
    assert [one.quote for one in reply.citations] == ["A return label costs $6."]


def test_a_withheld_draft_is_asked_for_once_more(make_agent: MakeAgent) -> None:
    model = ScriptedModel(["The label costs $99.", "A return label costs $6."])
    agent = make_agent(model, FixedRetriever([LABEL]), ["knowledge.on_unsupported=regenerate"])
    reply = agent.reply("How much is the return label?")
    assert (reply.text, reply.mode) == ("A return label costs $6.", "generated")
    assert "asked once more" in reply.notices[0]
    assert "word for word" in model.prompts[1].text
    assert "word for word" not in model.prompts[0].text


def test_a_draft_that_fails_twice_gives_way_to_the_passage(make_agent: MakeAgent) -> None:
    model = ScriptedModel(["退货运费为99元。", "退货运费为98元。"])
    found = passage("退货运费为12元。礼品卡不可退货。")
    agent = make_agent(model, FixedRetriever([found]), ["knowledge.on_unsupported=regenerate"])
    reply = agent.reply("退货运费是多少？")
    assert reply.mode == "quoted"
    assert "12元" in reply.text
    assert len(reply.notices) == 2
