"""What a skill notes during a turn: recorded with the reply, seen by the next turn, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dialog import DialogAgent
from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn

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
