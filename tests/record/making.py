"""Conversations to test with, short to write down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dialog.conversation import Conversation
from dialog.entries import Entry, UserSaid, new_id
from dialog.testing.making import NOON, replied, said

__all__ = ["NOON", "add", "ask", "later", "replied", "said", "talked"]


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def add(conversation: Conversation, kind: type[Any], *, at: datetime = NOON, **fields: Any) -> Conversation:
    """The conversation with one more entry at its head."""
    entry: Entry = kind(id=new_id(), parent=conversation.head_id, time=at, **fields)
    return conversation.append(entry)


def ask(conversation: Conversation, text: str) -> Conversation:
    return add(conversation, UserSaid, text=text)


def talked(num_turns: int, *, id: str = "c") -> Conversation:
    """`question 0`, `answer 0`, `question 1`, ..."""
    conversation = Conversation.empty(id)
    for at in range(num_turns):
        conversation = ask(conversation, f"question {at}")
        conversation = conversation.append(replied(conversation, f"answer {at}"))
    return conversation
