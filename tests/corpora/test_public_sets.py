"""Public dialogue sets: their shapes on made-up records, and the real files where they are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks import DATA
from corpora.reading import Reading
from tests.corpora.conftest import Write
from tests.corpora.making import read, said

ABCD = {
    "convo_id": 7,
    "scenario": {"flow": "returns", "subflow": "size", "personal": {"username": "li1"}},
    "original": [["agent", "Hi"], ["customer", "Hello"], ["action", "Account pulled up."]],
    "delexed": [],
}
STAR = {
    "DialogueID": 7,
    "Scenario": {"Domains": ["ride"]},
    "Events": [
        {"Agent": "User", "Action": "utter", "Text": "A ride", "UnixTime": 1714557600},
        {"Agent": "Wizard", "Action": "request_suggestions", "Text": "name"},
        {
            "Agent": "Wizard",
            "Action": "query",
            "APIName": "ride",
            "Constraints": [{"to": "A"}, {"from": "B"}],
        },
        {"Agent": "KnowledgeBase", "Action": "return_item", "Item": {"id": 1}},
        {"Agent": "Wizard", "Action": "pick_suggestion", "Text": "Booked.", "ActionLabel": "ride_bye"},
    ],
}
SGD = {
    "dialogue_id": "d-1",
    "services": ["Media_2"],
    "turns": [
        {
            "speaker": "USER",
            "utterance": "A film",
            "frames": [
                {
                    "service": "Media_2",
                    "state": {"slot_values": {"genre": ["Drama"]}},
                    "actions": [{"act": "INFORM", "slot": "genre", "values": ["Drama"]}],
                }
            ],
        },
        {
            "speaker": "SYSTEM",
            "utterance": "Found.",
            "frames": [
                {
                    "service": "Media_2",
                    "service_call": {"method": "Find", "parameters": {"genre": "Drama"}},
                    "service_results": [{"n": "1"}],
                    "actions": [],
                }
            ],
        },
    ],
}
CROSSWOZ = {
    "task_id": "23",
    "sys-usr": [31, 32],
    "type": "单领域",
    "goal": [[1, "酒店", "评分", "4分以上", True]],
    "messages": [
        {"role": "usr", "content": "推荐酒店", "dialog_act": [["Inform", "酒店", "评分", "4分以上"]]},
        {
            "role": "sys",
            "content": "好的",
            "dialog_act": [],
            "sys_state": {"酒店": {"评分": "4分以上", "价格": ""}},
        },
    ],
}
KDCONV = {
    "id": "film-1",
    "domain": "film",
    "name": "电影",
    "messages": [{"message": "看过吗？"}, {"message": "看过。", "attrs": [{"name": "电影"}]}],
}
TWEETSUMM = {
    "conversation_id": "c",
    "turns": [["Customer", "No sound"], ["Agent", "Restart it"]],
    "annotations": [{"extractive": [], "abstractive": ["No sound."]}],
    "dialog_type": "complaint",
    "is_negative": 1,
}
DOC2DIAL = {
    "dial_id": "d",
    "doc_id": "D",
    "domain": "dmv",
    "turns": [
        {"turn_id": 1, "role": "user", "da": "query", "utterance": "How?", "references": [{"sp_id": "4"}]}
    ],
}
GROUNDED = {
    "id": "d_2",
    "dial_id": "d",
    "turn_id": 2,
    "doc_id": "D",
    "history": [["user", "How?"], ["agent", "So."], ["user", "And?"]],
    "answer_text": ["x"],
}
MOBILECS = {
    "id": "m",
    "content": [
        {
            "[SPEAKER 2]": "喂",
            "[SPEAKER 1]": "你好",
            "客服意图": "问候",
            "用户意图": "其他",
            "info": {"ents": [], "triples": []},
        }
    ],
}
TASK = {
    "id": "0",
    "user_scenario": {"instructions": {"domain": "retail", "reason_for_call": "Exchange it."}},
    "evaluation_criteria": {"actions": []},
}
SIMULATION = {
    "simulations": [
        {
            "id": "s-1",
            "task_id": "0",
            "messages": [
                {"role": "user", "content": "Exchange it"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "t", "name": "find", "arguments": {"zip": "1"}, "requestor": "assistant"}
                    ],
                },
                {"role": "tool", "id": "t", "content": "found"},
            ],
            "reward_info": {"reward": 1.0},
        }
    ]
}


@pytest.mark.parametrize(
    ("format", "record", "messages", "tags"),
    [
        (
            "abcd",
            ABCD,
            [("assistant", "Hi"), ("user", "Hello"), ("assistant", ""), ("tool", "Account pulled up.")],
            ("returns", "size"),
        ),
        (
            "star",
            STAR,
            [("user", "A ride"), ("assistant", ""), ("tool", '{"id": 1}'), ("assistant", "Booked.")],
            ("ride",),
        ),
        (
            "sgd",
            SGD,
            [("user", "A film"), ("assistant", ""), ("tool", '[{"n": "1"}]'), ("assistant", "Found.")],
            ("Media_2",),
        ),
        ("crosswoz", CROSSWOZ, [("user", "推荐酒店"), ("assistant", "好的")], ("单领域", "酒店")),
        ("kdconv", KDCONV, [("user", "看过吗？"), ("assistant", "看过。")], ("film",)),
        (
            "tweetsumm",
            TWEETSUMM,
            [("user", "No sound"), ("assistant", "Restart it")],
            ("complaint", "negative"),
        ),
        ("doc2dial", DOC2DIAL, [("user", "How?")], ("dmv",)),
        ("doc2dial", GROUNDED, [("user", "How?"), ("assistant", "So."), ("user", "And?")], ()),
        ("mobilecs", MOBILECS, [("user", "喂"), ("assistant", "你好")], ()),
        ("tau2", TASK, [("user", "Exchange it.")], ("task", "retail")),
        ("tau2", SIMULATION, [("user", "Exchange it"), ("assistant", ""), ("tool", "found")], ()),
    ],
)
def test_a_set_is_recognised_and_read(
    write: Write, format: str, record: dict[str, Any], messages: list[tuple[str, str]], tags: tuple[str, ...]
) -> None:
    with Reading(write("a.jsonl", record)) as reading:
        (one,) = reading
    assert reading.format == format
    assert said(one) == messages
    assert one.tags == tags


def test_calls_of_services_are_tool_calls(write: Write) -> None:
    (one,) = read(write("a.jsonl", SGD))
    assert one.messages[1].tool_calls == (
        {"id": "call-1", "type": "function", "function": {"name": "Find", "arguments": '{"genre": "Drama"}'}},
    )
    assert one.messages[2].tool_call_id == "call-1"
    assert one.state == {"slots": {"Media_2": {"genre": ["Drama"]}}}
    assert one.meta == {"acts": {"0": [{"act": "INFORM", "slot": "genre", "values": ["Drama"]}]}}


def test_labels_of_actions_stand_under_the_number_of_their_message(write: Write) -> None:
    (one,) = read(write("a.jsonl", STAR))
    assert one.meta is not None
    assert one.meta["actions"] == {"3": "ride_bye"}


def test_the_state_of_a_chinese_dialogue_is_kept(write: Write) -> None:
    (one,) = read(write("a.jsonl", CROSSWOZ))
    assert one.state == {"slots": {"酒店": {"评分": "4分以上"}}}
    assert one.meta is not None
    assert one.meta["customer"] == 32


def real(*parts: str) -> Path:
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the public set {parts[0]} is not in {DATA}")
    return path


@pytest.mark.data
@pytest.mark.parametrize(
    ("parts", "format", "num"),
    [
        (("abcd", "abcd_sample.json"), "abcd", 3),
        (("abcd", "abcd_extra.jsonl"), "abcd", 4),
        (("star", "dialogues_dev.jsonl.gz"), "star", 200),
        (("sgd", "dev_part.jsonl.gz"), "sgd", 60),
        (("crosswoz", "val.jsonl.gz"), "crosswoz", 500),
        (("kdconv", "film_dev.jsonl.gz"), "kdconv", 150),
        (("kdconv", "travel_dev.jsonl.gz"), "kdconv", 150),
        (("tweetsumm", "valid.jsonl.gz"), "tweetsumm", 110),
        (("doc2dial", "dialogues_full_annotation_small.jsonl.gz"), "doc2dial", 47),
        (("doc2dial", "grounding_val.jsonl.gz"), "doc2dial", 2972),
        (("mobilecs_sample", "example.json"), "mobilecs", 6),
        (("tau2", "retail", "tasks_train.json"), "tau2", 74),
        (("tau2", "airline", "tasks_train.json"), "tau2", 30),
        (("tau2", "banking_knowledge", "tasks_train.json"), "tau2", 65),
        (("tau2", "telecom", "tasks_small.json"), "tau2", 20),
    ],
)
def test_a_real_file_is_read_whole(parts: tuple[str, ...], format: str, num: int) -> None:
    with Reading(real(*parts)) as reading:
        found = list(reading)
    assert (reading.format, len(found), reading.skipped) == (format, num, [])
    roles = Counter(message.role for one in found for message in one.messages)
    assert roles["user"] > 0
    assert format == "tau2" or roles["assistant"] > 0
