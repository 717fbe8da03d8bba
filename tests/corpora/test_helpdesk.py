"""Exports of help desks as they look: tickets, conversations, chat logs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from corpora.formats import ReadOptions
from corpora.reading import Reading
from corpora.times import parse_time
from tests.corpora.conftest import Write
from tests.corpora.making import problem, read, said

TICKET: dict[str, Any] = {
    "id": 35436,
    "requester_id": 20978392,
    "assignee_id": 235323,
    "subject": "Where is my parcel?",
    "status": "solved",
    "tags": ["shipping", "退货"],
    "comments": [
        {"author_id": 235323, "body": "It was sent.", "public": True, "created_at": "2024-05-01T10:05:00Z"},
        {
            "author_id": 20978392,
            "body": "我的包裹在哪里？",
            "public": True,
            "created_at": "2024-05-01T10:00:00Z",
        },
        {
            "author_id": 235323,
            "body": "Check the depot.",
            "public": False,
            "created_at": "2024-05-01T10:03:00Z",
        },
        {
            "author_id": 20978392,
            "body": "Thanks!\n\nOn Wed, 1 May 2024 at 10:05, Shop wrote:\n> It was sent.",
            "created_at": "2024-05-01T10:07:00Z",
            "via": {"channel": "email"},
            "attachments": [{"file_name": "x.exe"}],
        },
    ],
}
CONVERSATION: dict[str, Any] = {
    "type": "conversation",
    "id": "147",
    "created_at": 1714557600,
    "source": {"body": "<p>Where is <b>it</b>?</p>", "author": {"type": "user", "id": "u-1", "name": "Li"}},
    "tags": {"type": "tag.list", "tags": [{"id": "1", "name": "shipping"}]},
    "conversation_parts": {
        "total_count": 4,
        "conversation_parts": [
            {"part_type": "assignment", "body": None, "author": {"type": "bot"}},
            {
                "part_type": "note",
                "body": "<p>VIP</p>",
                "author": {"type": "admin"},
                "created_at": 1714557620,
            },
            {
                "part_type": "comment",
                "body": "<p>已发货。<br>明天到。</p><script>x</script>",
                "author": {"type": "admin", "name": "小李"},
                "created_at": 1714557660,
            },
        ],
    },
}


@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: [one], lambda one: {"tickets": [one], "next_page": None}]
)
def test_a_ticket_becomes_a_conversation_in_order(write: Write, wrap: Any) -> None:
    with Reading(write("a.json", json.dumps(wrap(TICKET), indent=1))) as reading:
        (one,) = reading
    assert reading.format == "zendesk"
    assert one.id == "35436"
    assert said(one) == [("user", "我的包裹在哪里？"), ("assistant", "It was sent."), ("user", "Thanks!")]
    assert one.messages[0].time == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert one.tags == ("shipping", "退货")
    assert one.meta == {
        "customer": 20978392,
        "internal_notes": ["Check the depot."],
        "subject": "Where is my parcel?",
        "status": "solved",
        "assignee_id": 235323,
    }
    assert reading.notes == {
        "an internal note is kept in meta, not as a message": 1,
        "quoted text or a signature is cut": 1,
        "an attachment is left out": 1,
    }


def test_a_ticket_without_comments_is_its_description(write: Write) -> None:
    (one,) = read(write("a.jsonl", {"id": 1, "requester_id": 2, "description": "坏了，怎么办？"}))
    assert said(one) == [("user", "坏了，怎么办？")]


def test_comments_are_found_in_audits(write: Write) -> None:
    audits = [
        {
            "created_at": "2024-05-01T10:00:00Z",
            "events": [{"type": "Comment", "body": "Hi", "author_id": 2}, {"type": "Change"}],
        }
    ]
    (one,) = read(write("a.jsonl", {"id": 1, "requester_id": 2, "audits": audits}))
    assert said(one) == [("user", "Hi")]


def test_a_ticket_of_the_wrong_shape_is_bad(write: Write) -> None:
    path = write("a.jsonl", TICKET, {"id": 1, "requester_id": 2, "comments": [7]})
    assert problem(path).startswith(":2: a field has an unexpected shape")


@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: {"type": "conversation.list", "conversations": [one]}]
)
def test_an_intercom_conversation_keeps_words_and_notes_apart(write: Write, wrap: Any) -> None:
    with Reading(write("a.json", json.dumps(wrap(CONVERSATION)))) as reading:
        (one,) = reading
    assert reading.format == "intercom"
    assert said(one) == [("user", "Where is it?"), ("assistant", "已发货。\n明天到。")]
    assert one.messages[1].name == "小李"
    assert one.tags == ("shipping",)
    assert one.meta == {"customer": "u-1", "internal_notes": ["VIP"]}
    assert reading.notes == {
        "the export holds only some of a conversation's parts": 1,
        "an event of the kind 'assignment' is left out": 1,
        "an internal note is kept in meta, not as a message": 1,
    }


@pytest.mark.parametrize(
    "text",
    [
        "[2024-05-01 10:00] Anna: Where is it?\n[2024-05-01 10:01] Support Tom: Sent.\nToday.\n",
        "2024-05-01 10:00:00 Anna: Where is it?\n2024-05-01 10:01:00 Support Tom: Sent.\nToday.\n",
        "2024/05/01, 10:00 - Anna: Where is it?\n2024/05/01, 10:01 - Support Tom: Sent.\nToday.\n",
        "Anna (2024-05-01 10:00): Where is it?\nSupport Tom (2024-05-01 10:01): Sent.\nToday.\n",
        "Anna 2024-05-01 10:00:00\nWhere is it?\nSupport Tom 2024-05-01 10:01:00\nSent.\nToday.\n",
    ],
)
def test_a_chat_log_is_read_in_many_notations(write: Write, text: str) -> None:
    with Reading(write("a.txt", text)) as reading:
        (one,) = reading
    assert reading.format == "chat-log"
    assert said(one) == [("user", "Where is it?"), ("assistant", "Sent.\nToday.")]
    assert one.messages[0].time == datetime(2024, 5, 1, 10, 0)
    assert [message.name for message in one.messages] == ["Anna", "Support Tom"]


@pytest.mark.parametrize(
    "text",
    [
        "[2024-05-01 10:00] 王女士：包裹在哪里？\n[2024-05-01 10:01] 客服小李：已发货。\n",
        "2024年5月1日 10:00 王女士：包裹在哪里？\n2024年5月1日 10:01 客服小李：已发货。\n",
        "王女士 2024-05-01 10:00:00\n包裹在哪里？\n客服小李 2024-05-01 10:01:00\n已发货。\n",
        "2024-05-01 10:00:00 王女士\n包裹在哪里？\n2024-05-01 10:01:00 客服小李\n已发货。\n",
        "[10:00] 王女士: 包裹在哪里？\n[10:01] 客服小李: 已发货。\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_chinese_chat_log_is_read_in_many_notations(write: Write, text: str, encoding: str) -> None:
    (one,) = read(write("a.txt", text.encode(encoding)))
    assert said(one) == [("user", "包裹在哪里？"), ("assistant", "已发货。")]


def test_rules_and_silences_divide_a_log(write: Write) -> None:
    text = (
        "--- chat 12 ---\n[2024-05-01 10:00] 客户: 1\n[2024-05-01 10:01] 客服: 2\n"
        "=====\n[2024-05-01 10:02] 客户: 3\n[2024-05-01 12:00] 客户: 4\n"
    )
    whole = read(write("a.txt", text))
    assert [[content for _, content in said(one)] for one in whole] == [["1", "2"], ["3", "4"]]
    assert whole[0].meta == {"title": "chat 12"}
    divided = read(write("a.txt", text), options=ReadOptions(new_after_s=3600))
    assert [len(one.messages) for one in divided] == [2, 1, 1]


def test_who_is_the_customer_is_guessed_and_told(write: Write) -> None:
    with Reading(write("a.txt", "[10:00] Anna: Hi\n[10:01] Tom: Hello\n")) as reading:
        (one,) = reading
    assert [message.role for message in one.messages] == ["user", "assistant"]
    assert [note for note in reading.notes if "guessed" in note]


def test_a_named_agent_is_one_even_if_first(write: Write) -> None:
    with Reading(
        write("a.txt", "[10:00] Tom: Hello\n[10:01] Anna: Hi\n"), options=ReadOptions(agents=("tom",))
    ) as reading:
        (one,) = reading
    assert [message.role for message in one.messages] == ["assistant", "user"]
    assert not [note for note in reading.notes if "guessed" in note]


def test_lines_of_the_system_are_left_out_and_told(write: Write) -> None:
    with Reading(write("a.txt", "opened\n[10:00] 系统消息: 已接入\n[10:01] 客户: 你好\n")) as reading:
        (one,) = reading
    assert said(one) == [("user", "你好")]
    assert reading.notes["a line of the system is left out"] == 1
    assert reading.notes["a line before the first message is left out"] == 1


def test_a_log_without_rules_is_bounded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.readers.chat_log.MAX_CONVERSATION_CHARS", 1000)
    path = write("a.txt", "[10:00] Anna: Hi\n" * 600 + "---\n[10:00] 客户: 你好\n")
    with Reading(path, skip_bad=1) as reading:
        assert [said(one) for one in reading] == [[("user", "你好")]]
    assert "longer than 1000 characters; divide it" in str(reading.skipped[0].error)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-05-01T10:03:22Z", datetime(2024, 5, 1, 10, 3, 22, tzinfo=UTC)),
        ("2024/5/1 10:03", datetime(2024, 5, 1, 10, 3)),
        ("2024年5月1日 下午3:05", datetime(2024, 5, 1, 15, 5)),
        ("2024-05-01 12:05 AM", datetime(2024, 5, 1, 0, 5)),
        (1714557600, datetime(2024, 5, 1, 10, tzinfo=UTC)),
        (1714557600000, datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("3/4/2024 10:00", None),
        ("2024-13-01", None),
        ("soon", None),
        (True, None),
        (1e300, None),
    ],
)
def test_times_are_read_unless_they_are_ambiguous(text: object, time: datetime | None) -> None:
    assert parse_time(text) == time
