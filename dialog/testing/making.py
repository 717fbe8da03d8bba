"""Entries to fill a store with: plain turns, one entry of every kind, and ids and texts that break things."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from dialog.conversation import Conversation
from dialog.entries import (
    ActionDecided,
    ActionDone,
    ActionProposed,
    Entry,
    HandedOff,
    HumanSaid,
    InstructionSet,
    IntentSet,
    Rated,
    Replied,
    Resumed,
    SkillEntered,
    SlotSet,
    Summarised,
    UserSaid,
    new_id,
)
from dialog.instructions import Instruction
from dialog.protocols import Store
from dialog.values import Fingerprint, FitReport, Reply, Timings

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)

ODD_IDS = (
    "../x",
    "..\\x",
    "/etc/passwd",
    "x",
    "X",
    "x ",
    " x",
    "a\0b",
    "a\0c",
    "a",
    "\0",
    "客服",
    "客服\u200b",
    "é",
    "e\u0301",
    "ｘ",
    "%s' OR 1=1 --",
    "x" * 10_000,
    "x" * 9_999 + "y",
    "🙂",
    "\ud800",
    ".",
    "CON",
)
ODD_TEXTS = (
    "",
    "a\0b",
    "客服：您好，请问有什么可以帮您？",
    "e\u0301 é ｆｕｌｌ \u202egnp.exe",
    "🙂👩‍👩‍👧",
    "\x1b[31mred\x1b[0m \r\n\t",
    "\"quoted\" \\ and 'so' on; DROP TABLE entries; --",
    "lone \ud83d surrogate",
    "z\u0301" * 1000,
    "长" * 300_000,
)


def said(conversation: Conversation, text: str, *, turn_key: str | None = None) -> UserSaid:
    """A user's message that follows the head."""
    return UserSaid(id=new_id(), parent=conversation.head_id, time=NOON, text=text, turn_key=turn_key)


def replied(conversation: Conversation, text: str) -> Replied:
    """A reply that follows the head."""
    return Replied(id=new_id(), parent=conversation.head_id, time=NOON, reply=reply(text))


def reply(text: str) -> Reply:
    """A `Reply` that says `text` and nothing else."""
    return Reply(
        text=text,
        mode="fixed",
        finish_reason="stop",
        conversation_id="-",
        turn_id="-",
        skill="answer",
        fit=FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0),
        timings=Timings(),
        fingerprint=Fingerprint(model="none", template="", prompt="", config=""),
    )


def talk(store: Store, id: str, *, num_turns: int) -> Conversation:
    """Record turns `question 0`, `answer 0`, ... at the head of a conversation."""
    for at in range(num_turns):
        conversation = store.load(id)
        question = said(conversation, f"question {at}")
        store.append(id, [question], expected_head=conversation.head)
        conversation = store.load(id)
        store.append(id, [replied(conversation, f"answer {at}")], expected_head=conversation.head)
    return store.load(id)


def every_kind() -> tuple[Entry, ...]:
    """A path with an entry of each kind."""
    made: list[Entry] = []

    def add(kind: Callable[..., Entry], **fields: Any) -> None:
        parent = made[-1].id if made else None
        made.append(kind(id=f"entry {len(made)}", parent=parent, time=NOON, **fields))

    add(
        InstructionSet,
        instruction=Instruction(id="i", text="请用中文回答。", source="system", topic="language", weight=0.5),
    )
    add(UserSaid, text="退货要几天？", turn_key="key \0 one")
    add(SlotSet, name="order", value={"no": "A-1", "items": [1, 2.5, None, True]}, source="entry 1")
    add(IntentSet, intent="return", confidence=0.75)
    add(SkillEntered, skill="support")
    add(Replied, reply=reply("七天。"))
    add(Rated, reply_id="entry 5", score=-1.0, reason="too short", better="七天内可以退货。")
    add(Summarised, text="退货：七天", covers=("entry 1", "entry 5"), language="zh")
    add(HandedOff, status="waiting", reason="asked", briefing="退货", timeout_s=60.0)
    add(HandedOff, status="human")
    add(HumanSaid, text="您好", author="小王")
    add(Resumed, reason="done")
    add(ActionProposed, action_id="a", name="cancel", arguments={"单号": ["A-1", None]}, reason="客户要求")
    add(ActionDecided, action_id="a", approved=True, by="小王")
    add(ActionDone, action_id="a", result={"cancelled": True})
    return tuple(made)
