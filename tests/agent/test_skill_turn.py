"""What a skill notes during a turn: recorded with the reply, seen by the next turn, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dialog import DialogAgent
from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn
from dialog.testing import FixedRetriever, passage

MakeAgent = Callable[..., DialogAgent]


class Noting:
    """Takes an order number, then hands over."""

    spec = SkillSpec(name="noting", description="notes order numbers")

    def matches(self, turn: SkillTurn) -> float:
        return 0.9

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        if "fail" in turn.text:
            turn.set_slot("order", "lost")
            raise RuntimeError("a broken skill")
        if "order" in turn.state.slots:
            yield from turn.hand_off("needs a person", briefing=f"order {turn.state.slots['order'].value}")
            return
        turn.note_intent("parcel", 0.8)
        turn.set_slot("order", "MK-10482")
        turn.enter("noting")
        yield from turn.say("记下了。" if turn.language == "zh" else "Noted.", mode="template")


@pytest.mark.parametrize(
    ("said", "answer"), [("Where is my parcel?", "Noted."), ("我的包裹在哪里？", "记下了。")]
)
def test_notes_are_recorded_with_the_reply(make_agent: MakeAgent, said: str, answer: str) -> None:
    with make_agent(skills=[Noting()], overrides=['skills.default="noting"']) as agent:
        first = agent.reply(said, conversation_id="c")
        assert (first.text, first.mode) == (answer, "template")
        assert (first.state.intent, first.state.slots) == ("parcel", {"order": "MK-10482"})
        state = agent.state("c")
        assert (state.intent, state.intent_confidence, state.skill) == ("parcel", 0.8, "noting")
        second = agent.reply("ok", conversation_id="c")
        assert second.finish_reason == "handed_off"
        assert second.state.handoff == "waiting"
        handoff = agent.state("c").handoff
        assert (handoff.reason, handoff.briefing) == ("needs a person", "order MK-10482")


def test_a_broken_skill_notes_nothing_of_what_it_was_about_to(make_agent: MakeAgent) -> None:
    with make_agent(skills=[Noting()], overrides=['skills.default="noting"']) as agent:
        with pytest.raises(RuntimeError, match="broken"):
            agent.reply("fail now", conversation_id="c")
        assert agent.state("c").slots == {}


class Asking:
    """Answers what was asked before, with a slot of this turn."""

    spec = SkillSpec(name="asking", description="answers an earlier question")

    def matches(self, turn: SkillTurn) -> float:
        return 0.9

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        turn.set_slot("parcel", turn.text)
        yield from turn.answer(question="Where is my parcel?")


def test_a_skill_has_an_earlier_question_answered_with_what_it_has_just_noted(make_agent: MakeAgent) -> None:
    found = passage("Where is my parcel?\nParcel {parcel:id} is on its way.").model_copy(
        update={"answer": "Parcel {parcel:id} is on its way.", "metadata": {"template": "yes"}}
    )
    retriever = FixedRetriever([found])
    with make_agent(retriever=retriever, skills=[Asking()], overrides=['skills.default="asking"']) as agent:
        reply = agent.reply("PK-2041", conversation_id="c")
    assert (reply.text, reply.mode) == ("Parcel PK-2041 is on its way.", "template")
    assert retriever.queries == ["PK-2041", "Where is my parcel?"]


def test_who_is_handed_over_by_a_skill_is_not_told_that_nothing_was_found(make_agent: MakeAgent) -> None:
    with make_agent(skills=[Noting()], overrides=['skills.default="noting"']) as agent:
        agent.reply("hello there, my parcel", conversation_id="c")
        assert agent.reply("ok", conversation_id="c").text == (
            "I am asking a colleague to take over; they will answer here."
        )
