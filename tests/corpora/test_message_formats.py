"""OpenAI, ShareGPT, prompt and completion, preference pairs: read in full, bad records named."""

from __future__ import annotations

from typing import Any

import pytest

from corpora.reading import Reading
from dialog.values import Message
from tests.corpora.conftest import Write
from tests.corpora.making import agent, problem, read, said, user

CALL = {"id": "t-1", "type": "function", "function": {"name": "track", "arguments": '{"id": "7"}'}}
ASKED = {"role": "user", "content": "我的包裹在哪里？"}
TOLD = {"role": "assistant", "content": "已发货。"}


def test_a_transcript_is_recognised_as_our_own(write: Write) -> None:
    path = write("a.jsonl", {"id": "c-1", "messages": [ASKED], "tags": ["zh"]})
    with Reading(path) as reading:
        (one,) = reading
    assert reading.format == "canonical"
    assert one.tags == ("zh",)


def test_openai_messages_keep_their_tool_calls(write: Write) -> None:
    path = write(
        "a.jsonl",
        {
            "messages": [
                ASKED,
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "t-1", "content": "sent"},
                TOLD,
            ],
            "tools": [{"type": "function"}],
        },
    )
    (one,) = read(path)
    assert one.id == "a-1"
    assert one.messages[1] == Message(role="assistant", content="", tool_calls=(CALL,))
    assert one.messages[2] == Message(role="tool", content="sent", tool_call_id="t-1")
    assert one.meta == {"tools": [{"type": "function"}]}


def test_parts_that_are_no_text_are_told(write: Write) -> None:
    parts = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "x"}}]
    path = write("a.jsonl", {"messages": [{"role": "user", "content": parts}]})
    with Reading(path) as reading:
        (one,) = reading
    assert said(one) == [("user", "Look")]
    assert reading.notes == {"a part of the kind 'image_url' is left out of a message": 1}


def test_fields_openai_may_add_are_kept_beside_the_message(write: Write) -> None:
    record = {"messages": [{"role": "developer", "content": "Be brief."}, TOLD | {"audio": {"id": "x"}}]}
    (one,) = read(write("a.jsonl", record))
    assert one.messages[0].role == "system"
    assert one.meta == {"message_fields": {"0": {"role": "developer"}, "1": {"audio": {"id": "x"}}}}


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"messages": []}, "messages is no list of messages; put at least one into it"),
        ({"messages": [ASKED, {"content": "x"}]}, "message 1 has no role; say who speaks"),
        ({"messages": [{"role": "bot", "content": "x"}]}, "messages.0.role: Input should be"),
        ({"messages": [{"role": "user", "content": 7}]}, "content is a int; make it a text"),
        ({"text": "x"}, "the field 'messages' is missing; is it really openai?"),
    ],
)
def test_a_bad_openai_record_is_named(write: Write, record: dict[str, Any], told: str) -> None:
    path = write("a.jsonl", {"messages": [ASKED]}, record)
    assert problem(path, format="openai").startswith(f":2: {told}")


def test_sharegpt_speakers_become_roles(write: Write) -> None:
    turns = [
        {"from": "system", "value": "简短。"},
        {"from": "human", "value": "Where is it?"},
        {"from": "function_call", "value": '{"name": "track", "arguments": {"id": "7"}}'},
        {"from": "observation", "value": "sent"},
        {"from": "gpt", "value": "On its way."},
    ]
    with Reading(write("a.json", [{"id": "s-1", "conversations": turns}])) as reading:
        (one,) = reading
    assert reading.format == "sharegpt"
    assert [message.role for message in one.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert one.messages[2].tool_calls == (
        {"id": "call-2", "type": "function", "function": {"name": "track", "arguments": '{"id": "7"}'}},
    )
    assert one.messages[3].tool_call_id == "call-2"


def test_an_unknown_sharegpt_speaker_is_named(write: Write) -> None:
    good = {"conversations": [{"from": "human", "value": "x"}]}
    path = write("a.jsonl", good, {"conversations": [{"from": "alien", "value": "x"}]})
    assert problem(path).startswith(":2: turn 0 is from 'alien'; one of human, user, gpt")


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "保修多久？", "completion": "一年。"},
        {"instruction": "保修多久？", "input": "", "output": "一年。"},
        {"query": "保修多久？", "response": "一年。"},
        {"prompt": [{"role": "user", "content": "保修多久？"}], "completion": [agent("一年。").model_dump()]},
    ],
)
def test_prompt_and_completion_come_in_many_names(write: Write, record: dict[str, Any]) -> None:
    (one,) = read(write("a.jsonl", record))
    assert one.messages == (user("保修多久？"), agent("一年。"))


def test_what_the_agent_says_in_a_prompt_is_not_trained_on(write: Write) -> None:
    prompt = [ASKED, TOLD, {"role": "user", "content": "Fee?"}]
    (one,) = read(write("a.jsonl", {"prompt": prompt, "completion": "10"}))
    assert [message.loss for message in one.messages] == [None, False, None, None]


def test_an_answer_labelled_false_is_not_trained_on(write: Write) -> None:
    (one,) = read(write("a.jsonl", {"prompt": "Fee?", "completion": "none!!", "label": False}))
    assert one.messages[1].loss is False
    assert one.meta == {"label": False}


def test_a_preference_pair_keeps_the_rejected_answer(write: Write) -> None:
    with Reading(write("a.jsonl", {"prompt": "Fee?", "chosen": "19.90", "rejected": "Free"})) as reading:
        (one,) = reading
    assert reading.format == "preference"
    assert said(one) == [("user", "Fee?"), ("assistant", "19.90")]
    assert one.meta == {"rejected": [{"role": "assistant", "content": "Free"}]}


def test_a_pair_without_prompt_begins_with_what_both_share(write: Write) -> None:
    path = write(
        "a.jsonl", {"chosen": [ASKED, TOLD], "rejected": [ASKED, {"role": "assistant", "content": "?"}]}
    )
    (one,) = read(path)
    assert one.messages == (user("我的包裹在哪里？"), agent("已发货。"))
    assert one.meta == {"rejected": [{"role": "assistant", "content": "?"}]}


def test_a_packed_file_is_unpacked(write: Write) -> None:
    assert read(write("a.jsonl.gz", {"messages": [ASKED]}))[0].id == "a-1"


def test_an_id_that_comes_twice_is_bad(write: Write) -> None:
    one = {"id": "c-1", "messages": [ASKED]}
    assert (
        problem(write("a.jsonl", one, one))
        == ":2: id 'c-1' was used on line 1; give every conversation an id of its own"
    )


def test_bad_records_within_the_bound_are_skipped_and_listed(write: Write) -> None:
    path = write("a.jsonl", {"messages": [ASKED]}, {"messages": []}, {"messages": [TOLD]})
    with Reading(path, skip_bad=1) as reading:
        assert len(list(reading)) == 2
    assert [bad.line for bad in reading.skipped] == [2]


def test_a_file_in_no_known_format_is_an_error_with_the_way_out(write: Write) -> None:
    assert "in no format that is recognised; name it with --format (canonical, " in problem(
        write("a.bin", b"\x00\x01")
    )


def test_an_empty_file_is_named(write: Write) -> None:
    assert problem(write("a.jsonl", b"")) == ": is empty; name a file with conversations"


def test_a_gzip_bomb_is_refused_early(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.files.FREE_BYTES", 100_000)
    path = write("a.jsonl.gz", b'{"messages": [' + b" " * 30_000_000)
    assert "unpacks to more than 200 times its size" in problem(path, format="openai")
