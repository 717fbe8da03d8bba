"""From transcripts to questions."""

import json

import pytest

from dialog.metrics.judged import Action
from dialog.replay.asked import questions, with_candidates
from dialog.values import Transcript
from tests.replay.conftest import TALKS, talk


def asked(line):
    return questions(Transcript.model_validate(line)).asked


def test_each_assistant_turn_is_asked_from_the_history_as_it_was():
    first, second = asked(TALKS[1])
    assert [message.content for message in first.messages] == ["几天内可以退货？"]
    assert [message.content for message in second.messages] == ["几天内可以退货？", "7 天内。", "运费谁出？"]
    assert (second.turn, second.wanted.text, second.language, second.tags) == (1, "我们出。", "zh", ("退货",))


def test_the_line_for_a_foreign_agent_tells_nothing_of_what_is_wanted():
    line = asked(TALKS[0])[0].line()
    assert line == {
        "conversation_id": "en-1",
        "turn": 0,
        "messages": [{"role": "user", "content": "How long may I return it?"}],
    }


def test_a_greeting_that_answers_nobody_counts_but_is_not_asked():
    greeting = {"role": "assistant", "content": "Hello!"}
    line = talk("c", ("Open today?", "Yes."))
    line["messages"].insert(0, greeting)
    found = questions(Transcript.model_validate(line))
    assert (found.unasked, [one.turn for one in found.asked]) == (1, [1])


def test_messages_of_assistant_and_tools_between_two_questions_are_one_turn():
    call = {"id": "1", "type": "function", "function": {"name": "cancel", "arguments": '{"order": "MK-1"}'}}
    line = {
        "id": "c",
        "messages": [
            {"role": "user", "content": "取消订单"},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": "{}", "tool_call_id": "1"},
            {"role": "assistant", "content": "好的。"},
            {"role": "assistant", "content": "已取消。"},
        ],
    }
    (turn,) = asked(line)
    assert turn.wanted.text == "好的。\n已取消。"
    assert turn.wanted.actions == (Action(name="cancel", arguments={"order": "MK-1"}),)
    assert [message.role for message in turn.messages] == ["user"]


@pytest.mark.parametrize("number", ["MK-20481", "MK 20481", "#20481", "ann@mail.com"])
@pytest.mark.parametrize(
    ("opening", "language"), [("我的包裹在哪？", "zh"), ("Where is my parcel?", "en")], ids=["zh", "en"]
)
def test_a_number_alone_is_in_the_language_of_its_user(number, opening, language):
    first, second = asked(talk("c", (opening, "?"), (number, "?")))
    assert (first.language, second.language) == (language, language)


@pytest.mark.parametrize(("said", "language"), [("MK 20481 谢谢您", "zh"), ("MK 20481, thank you", "en")])
def test_words_beside_a_number_say_the_language_whatever_was_spoken_before(said, language):
    before = {"zh": "Where is my parcel, please?", "en": "我的包裹现在在哪里？"}[language]
    assert asked(talk("c", (before, "?"), (said, "?")))[1].language == language


def test_what_meta_says_about_turns_is_wanted_of_them():
    line = talk("c", ("a?", "b"), ("c?", "d"), state={"slots": {"order": "MK-1"}}, meta={"intent": "x"})
    line["meta"]["turns"] = {"0": {"intent": "return", "sources": ["returns.md"]}}
    first, last = asked(line)
    assert (first.wanted.intent, first.wanted.sources, first.wanted.state) == (
        "return",
        ("returns.md",),
        None,
    )
    assert (last.wanted.intent, last.wanted.state) == ("x", {"order": "MK-1"})


@pytest.mark.parametrize(
    ("turns", "told"),
    [
        ({"first": {}}, "meta.turns['first']"),
        ({"0": {"intents": "x"}}, "meta.turns[0].intents"),
        ({"7": {"intent": "x"}}, "names turn 7, which is not asked"),
    ],
)
def test_labels_that_cannot_be_read_are_named(turns, told):
    with pytest.raises(ValueError, match=r"meta\.turns") as caught:
        asked(talk("c", ("a?", "b"), meta={"turns": turns}))
    assert told in str(caught.value)


def test_candidates_are_replies_of_other_conversations_whatever_the_order():
    turns = [turn for number in range(20) for turn in asked(talk(f"c{number}", ("hi", f"reply {number}")))]
    forwards = with_candidates(turns)
    backwards = with_candidates(list(reversed(turns)))
    assert {turn.conversation_id: turn.candidates for turn in forwards} == {
        turn.conversation_id: turn.candidates for turn in backwards
    }
    assert all(len(set(turn.candidates)) == 9 for turn in forwards)
    assert all(turn.wanted.text not in turn.candidates for turn in forwards)


def test_an_input_is_the_same_bytes_whatever_was_answered_before():
    line = talk("c", ("a?", "b"), ("c?", "d"))
    before = json.dumps(asked(line)[1].line())
    assert '"b"' in before
    assert json.dumps(asked(line)[1].line()) == before
