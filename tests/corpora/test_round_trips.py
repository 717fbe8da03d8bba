"""A format to our own and back, and our own to a format and back, loses nothing that both can hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora.converting import convert
from corpora.reading import Reading
from corpora.schema import write_transcripts
from corpora.writers import writer_of
from dialog.values import Message, Transcript
from tests.corpora.conftest import Write
from tests.corpora.making import read

few = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
texts = st.sampled_from(
    ["你好", "Where?", '"a",\n\tb', "=1+1", " x ", "<|im_end|>", "\u2028", "🙂"]
) | st.text(max_size=8)
solid = texts.filter(str.strip)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts,
    lambda deeper: st.lists(deeper, max_size=2),
    max_leaves=3,
)
metas = st.none() | st.dictionaries(
    st.sampled_from(["shop", "id", "messages", "meta", "prompt", "标签"]), json_values, min_size=1
)
times = st.none() | st.integers(0, 10**9).map(
    lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)
calls = st.builds(
    lambda name, value: {
        "id": "t-1",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps({"a": value})},
    },
    solid,
    texts,
)
openai_messages = st.one_of(
    st.builds(
        Message, role=st.sampled_from(["system", "user"]), content=texts, name=st.none() | solid, time=times
    ),
    st.builds(
        Message,
        role=st.just("assistant"),
        content=texts,
        loss=st.none() | st.booleans(),
        weight=st.none() | st.sampled_from([0.0, 1.0, 0.5]),
    ),
    st.builds(Message, role=st.just("assistant"), content=st.just(""), tool_calls=st.tuples(calls)),
    st.builds(Message, role=st.just("tool"), content=texts, tool_call_id=st.just("t-1")),
)


@st.composite
def transcripts(draw: st.DrawFn, messages: st.SearchStrategy[Message] = openai_messages) -> Transcript:
    return Transcript(
        id=draw(solid),
        messages=tuple(draw(st.lists(messages, min_size=1, max_size=4))),
        tags=tuple(draw(st.lists(st.sampled_from(["refund", "退货"]), max_size=2))),
        state=draw(st.none() | st.just({"intent": "退货"})),
        meta=draw(metas),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("round")


def through(folder: Path, name: str, transcript: Transcript) -> Transcript:
    """A transcript written in a format and read back."""
    write_transcripts(folder / "a.jsonl", [transcript])
    out = folder / f"b.{name}"
    convert([Reading(folder / "a.jsonl", format="canonical")], writer_of(name), out)
    (back,) = read(out, format="csv" if name == "tsv" else name)
    return back


def again(write: Write, name: str, record: dict[str, Any]) -> dict[str, Any]:
    """A record read and written in its own format."""
    path = write("a.jsonl", record)
    convert([Reading(path, format=name)], writer_of(name), path.with_name("b.jsonl"))
    back = json.loads(path.with_name("b.jsonl").read_text())
    assert isinstance(back, dict)
    return back


@few
@given(transcript=transcripts())
def test_our_own_survives_openai(folder: Path, transcript: Transcript) -> None:
    assert through(folder, "openai", transcript) == transcript


plain_messages = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=texts,
    time=times,
    loss=st.none() | st.booleans(),
)


@few
@given(transcript=transcripts(plain_messages))
def test_our_own_survives_sharegpt(folder: Path, transcript: Transcript) -> None:
    assert through(folder, "sharegpt", transcript) == transcript


answered = st.lists(texts, min_size=1, max_size=3).map(
    lambda said: [
        one
        for number, text in enumerate(said)
        for one in (
            Message(role="user", content=text),
            Message(role="assistant", content=text, loss=None if number == len(said) - 1 else False),
        )
    ]
)


@few
@given(messages=answered, meta=metas, id=solid)
def test_our_own_survives_prompt_and_completion(
    folder: Path, messages: list[Message], meta: dict[str, Any] | None, id: str
) -> None:
    transcript = Transcript(id=id, messages=tuple(messages), meta=meta)
    assert through(folder, "prompt-completion", transcript) == transcript


@few
@given(messages=answered, rejected=texts, id=solid)
def test_our_own_survives_preference_pairs(
    folder: Path, messages: list[Message], rejected: str, id: str
) -> None:
    meta = {"rejected": [{"role": "assistant", "content": rejected}], "shop": 1}
    transcript = Transcript(id=id, messages=tuple(messages), meta=meta)
    assert through(folder, "preference", transcript) == transcript


CALL = {"id": "t-1", "type": "function", "function": {"name": "f", "arguments": '{"a":"ä"}'}}


@pytest.mark.parametrize(
    ("name", "record"),
    [
        (
            "openai",
            {
                "id": "c-1",
                "messages": [
                    {"role": "developer", "content": "Be brief."},
                    {"role": "user", "content": "Where? 在哪里？", "name": "Li"},
                    {"role": "assistant", "content": None, "tool_calls": [CALL]},
                    {"role": "tool", "content": "{}", "tool_call_id": "t-1"},
                    {"role": "assistant", "content": "Here.", "weight": 0.0, "audio": {"id": "x"}},
                ],
                "tools": [CALL],
                "seed": 3,
            },
        ),
        (
            "sharegpt",
            {
                "id": "c-1",
                "conversations": [
                    {"from": "system", "value": "简短。"},
                    {"from": "human", "value": "Where?"},
                    {"from": "function_call", "value": '{"name": "f", "arguments": {"a": "ä"}}'},
                    {"from": "gpt", "value": "Here.", "loss": False, "lang": "en"},
                ],
                "source": "x",
            },
        ),
        ("prompt-completion", {"id": "c-1", "prompt": "Fee? 运费？", "completion": "10", "label": True}),
        ("preference", {"id": "c-1", "prompt": "Fee? 运费？", "chosen": "10", "rejected": "", "score": 0.5}),
    ],
)
def test_a_record_comes_back_as_it_was(write: Write, name: str, record: dict[str, Any]) -> None:
    assert again(write, name, record) == record


def test_bare_openai_holds_what_the_service_takes_and_tells_the_rest(write: Write) -> None:
    path = write(
        "a.jsonl",
        {
            "id": "c-1",
            "messages": [
                {"role": "user", "content": "x", "time": "2024-05-01T10:00:00Z"},
                {"role": "assistant", "content": "y", "loss": False},
            ],
            "tags": ["a"],
            "meta": {"tools": [CALL], "shop": 1},
        },
    )
    out = path.with_name("b.jsonl")
    report = convert([Reading(path)], writer_of("openai", bare=True), out)
    assert json.loads(out.read_text()) == {
        "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "weight": 0}],
        "tools": [CALL],
    }
    assert sorted(report.notes) == [
        "id not written",
        "meta not written",
        "tags not written",
        "time not written",
    ]
