"""The fold: what a path of entries comes to, and that remembering changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.conversation import Conversation
from dialog.entries import (
    HandedOff,
    HumanSaid,
    InstructionSet,
    IntentSet,
    Rated,
    Resumed,
    SkillEntered,
    SlotSet,
    Summarised,
    UserSaid,
)
from dialog.instructions import Instruction, Scope
from dialog.state import DialogState, fold, full_fold, visible_turns_back
from dialog.values import HandoffStatus
from tests.record.making import add, ask, later, replied, talked


def wish(id: str, *, scope: Scope = "conversation", source: Any = "wish") -> Instruction:
    return Instruction(id=id, text=f"text of {id}", source=source, scope=scope)


def active(conversation: Conversation) -> list[str]:
    return [instruction.id for instruction in fold(conversation).instructions]


def visible(conversation: Conversation) -> list[str]:
    return [turn.user for turn in visible_turns_back(conversation)]


def test_empty_conversation_has_the_default_state() -> None:
    assert fold(Conversation.empty("c")) == DialogState()


def test_slots_keep_where_they_came_from_and_can_be_cleared() -> None:
    conversation = add(talked(1), SlotSet, name="order", value="A-1", source="u1")
    conversation = add(conversation, SlotSet, name="city", value="上海", source="u1")
    state = fold(conversation)
    assert (state.slots["order"].value, state.slots["order"].source) == ("A-1", "u1")
    cleared = fold(add(conversation, SlotSet, name="order", value=None, source="u2"))
    assert list(cleared.slots) == ["city"]


def test_intent_skill_and_ratings_are_the_latest() -> None:
    conversation = add(talked(1), IntentSet, intent="return", confidence=0.9)
    conversation = add(conversation, SkillEntered, skill="support")
    conversation = add(conversation, Rated, reply_id="r1", score=-1.0, reason="太长")
    conversation = add(conversation, Rated, reply_id="r1", score=1.0)
    state = fold(conversation)
    assert (state.intent, state.intent_confidence, state.skill) == ("return", 0.9, "support")
    assert state.ratings["r1"].score == 1.0


def test_undo_takes_the_state_back() -> None:
    conversation = ask(talked(1), "order A-1")
    conversation = add(conversation, SlotSet, name="order", value="A-1", source="u")
    assert "order" in fold(conversation).slots
    assert fold(conversation.undo()).slots == {}
    assert "order" in fold(conversation.undo().redo()).slots


def test_instruction_is_replaced_by_the_same_id_and_removed_when_inactive() -> None:
    conversation = add(talked(1), InstructionSet, instruction=wish("a"))
    conversation = add(conversation, InstructionSet, instruction=wish("b"))
    assert active(add(conversation, InstructionSet, instruction=wish("a"))) == ["b", "a"]
    assert active(add(conversation, InstructionSet, instruction=wish("a"), active=False)) == ["b"]


def test_instruction_of_one_turn_set_with_the_question_is_gone_at_the_next() -> None:
    conversation = add(ask(talked(1), "once"), InstructionSet, instruction=wish("a", scope="turn"))
    assert active(conversation) == ["a"]
    conversation = conversation.append(replied(conversation, "so"))
    assert active(ask(conversation, "next")) == []


def test_instruction_of_one_turn_set_between_turns_is_for_the_next() -> None:
    conversation = add(talked(1), InstructionSet, instruction=wish("a", scope="turn"))
    conversation = ask(conversation, "this one")
    assert active(conversation) == ["a"]
    conversation = conversation.append(replied(conversation, "so"))
    assert active(ask(conversation, "next")) == []


def test_summary_holds_if_all_it_covers_is_on_the_path() -> None:
    conversation = talked(3)
    first = conversation.turns()[0]
    covered = add(conversation, Summarised, text="s", covers=(first.user_id,), language="en")
    summary = fold(covered).summary
    assert summary is not None
    assert summary.covers == (first.user_id,)
    assert fold(add(conversation, Summarised, text="s", covers=("gone",), language="en")).summary is None
    assert fold(covered.undo()).summary is None


def handed_off(conversation: Conversation, status: HandoffStatus, **fields: Any) -> Conversation:
    return add(conversation, HandedOff, status=status, **fields)


def with_person() -> Conversation:
    """bot -> waiting -> human -> bot, with secrets said to the person."""
    conversation = handed_off(
        ask(talked(1), "a person, please"),
        "waiting",
        reason="asked",
        briefing="wants a refund",
        timeout_s=60.0,
    )
    conversation = ask(conversation, "still waiting")
    conversation = handed_off(conversation, "human")
    conversation = ask(conversation, "my secret is 4711")
    conversation = add(conversation, SlotSet, name="secret", value="4711", source="u")
    conversation = add(conversation, IntentSet, intent="secret", confidence=1.0)
    conversation = add(conversation, InstructionSet, instruction=wish("secret wish"))
    conversation = add(conversation, HumanSaid, text="noted: 4711", author="Ann", at=later(5))
    covered = conversation.turns()[-1].user_id
    return add(conversation, Summarised, text="4711", covers=(covered,), language="en")


def test_handoff_goes_from_bot_to_waiting_to_human_to_bot() -> None:
    waiting = handed_off(talked(1), "waiting", reason="asked", briefing="b", timeout_s=60.0)
    assert fold(waiting).handoff.status == "waiting"
    human = handed_off(waiting, "human", at=later(10))
    state = fold(human).handoff
    assert (state.status, state.reason, state.briefing, state.timeout_s) == ("human", "asked", "b", 60.0)
    assert fold(add(human, Resumed)).handoff.status == "bot"


def test_waiting_times_out_only_after_its_time() -> None:
    handoff = fold(handed_off(talked(1), "waiting", timeout_s=60.0)).handoff
    assert not handoff.is_expired(later(60))
    assert handoff.is_expired(later(61))
    assert not fold(handed_off(talked(1), "waiting")).handoff.is_expired(later(1e9))
    assert not fold(talked(1)).handoff.is_expired(later(1e9))


def test_person_times_out_after_the_last_thing_said() -> None:
    handoff = fold(with_person()).handoff
    assert not handoff.is_expired(later(65))
    assert handoff.is_expired(later(66))


def test_nothing_said_to_a_person_is_in_the_state_or_in_a_prompt() -> None:
    for conversation in (with_person(), add(with_person(), Resumed, reason="done")):
        state = fold(conversation)
        shown = [turn.model_dump_json() for turn in visible_turns_back(conversation)]
        assert "4711" not in "".join(shown)
        assert "4711" not in state.model_dump_json()
        assert "secret" not in state.model_dump_json()


def test_record_keeps_what_was_said_to_a_person() -> None:
    conversation = add(with_person(), Resumed)
    assert next(turn.user for turn in conversation.turns_back()) == "my secret is 4711"
    assert any(isinstance(entry, HumanSaid) for entry in conversation.path())


def test_agent_learns_that_something_was_hidden_but_not_what() -> None:
    resumed = fold(ask(add(with_person(), Resumed, reason="done"), "thanks"))
    assert resumed.resumed is not None
    assert (resumed.resumed.hidden_messages, resumed.resumed.reason) == (2, "done")
    assert visible(ask(add(with_person(), Resumed), "thanks")) == [
        "thanks",
        "still waiting",
        "a person, please",
        "question 0",
    ]


def test_reply_after_resuming_is_not_given_to_an_earlier_turn() -> None:
    conversation = add(with_person(), Resumed)
    conversation = conversation.append(replied(conversation, "I am back"))
    assert [turn.reply for turn in visible_turns_back(conversation)] == [None, None, "answer 0"]


def test_operators_instruction_is_heard_while_a_person_has_the_conversation() -> None:
    conversation = add(with_person(), InstructionSet, instruction=wish("rule", source="system"))
    assert active(add(conversation, Resumed)) == ["rule"]


@pytest.mark.parametrize("status", ["bot", "waiting", "human"])
def test_handoff_never_becomes_what_it_is(status: HandoffStatus) -> None:
    handoff = fold(handed_off(talked(1), status)).handoff
    assert not handoff.may_become(status)


_ENTRIES = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("reply"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("slot"), st.sampled_from(["x", "y"]), st.sampled_from([None, 1, 2])),
    st.tuples(st.just("wish"), st.sampled_from(["i", "j"]), st.sampled_from(["turn", "conversation"])),
    st.tuples(st.just("drop"), st.sampled_from(["i", "j"])),
    st.tuples(st.just("off"), st.sampled_from(["bot", "waiting", "human"])),
    st.tuples(st.just("resume")),
    st.tuples(st.just("human")),
    st.tuples(st.just("rate"), st.sampled_from([-1.0, 1.0])),
    st.tuples(st.just("summary"), st.integers(0, 5)),
    st.tuples(st.just("undo")),
    st.tuples(st.just("redo")),
    st.tuples(st.just("switch"), st.integers(0, 50)),
)


def _step(conversation: Conversation, step: tuple[Any, ...]) -> Conversation:
    match step:
        case ("ask", text):
            return add(conversation, UserSaid, text=text)
        case ("reply", text):
            return conversation.append(replied(conversation, text))
        case ("slot", name, value):
            return add(conversation, SlotSet, name=name, value=value, source="u")
        case ("wish", id, scope):
            return add(conversation, InstructionSet, instruction=wish(id, scope=scope))
        case ("drop", id):
            return add(conversation, InstructionSet, instruction=wish(id), active=False)
        case ("off", status):
            return add(conversation, HandedOff, status=status)
        case ("resume",):
            return add(conversation, Resumed)
        case ("human",):
            return add(conversation, HumanSaid, text="t", author="a")
        case ("rate", score):
            return add(conversation, Rated, reply_id="r", score=score)
        case ("summary", back):
            covers = tuple(entry.id for entry in conversation.path()[:back])
            return add(conversation, Summarised, text="s", covers=covers, language="en")
        case ("undo",):
            return conversation.undo() if conversation.num_turns else conversation
        case ("redo",):
            head = conversation.head
            return conversation.redo() if head and head.tip != head.head else conversation
        case ("switch", number):
            entries = conversation.entries()
            return conversation.switch(entries[number % len(entries)].id) if entries else conversation
    raise AssertionError(step)


@settings(max_examples=150, deadline=None)
@given(st.lists(_ENTRIES, max_size=60))
def test_remembered_fold_equals_the_fold_from_the_root(steps: list[tuple[Any, ...]]) -> None:
    conversation = Conversation.empty("c")
    for step in steps:
        conversation = _step(conversation, step)
        assert fold(conversation) == full_fold(conversation)
    if fold(conversation).handoff.status == "human":
        assert all(turn.user_id != conversation.head_id for turn in visible_turns_back(conversation))
    assert fold(conversation).num_turns == conversation.num_turns


def test_checkpoints_change_nothing_in_a_long_conversation() -> None:
    conversation = talked(600)
    assert fold(conversation) == full_fold(conversation)
    assert fold(conversation.edit(300)) == full_fold(conversation.edit(300))
    assert fold(conversation).num_turns == 600
