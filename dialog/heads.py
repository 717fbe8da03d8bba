"""Where a conversation stands, and how it looks from outside: heads, branches, lists of conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

from pydantic import Field

from dialog.values import Value

Item = TypeVar("Item")

PREVIEW_CHARS = 60


class Head(Value):
    """Where a conversation stands: `head` is the current entry, `tip` the end of its branch (for redo).

    `version` grows by one with every append or move; stores compare it.
    """

    conversation_id: str
    head: str | None
    tip: str | None
    version: int = Field(ge=0)


class ConversationSummary(Value):
    """A line of `history list`."""

    id: str
    title: str
    num_turns: int
    created: datetime
    updated: datetime


class Page(Value, Generic[Item]):
    """Some items of a longer list, and where the next page begins (None at the end)."""

    items: tuple[Item, ...]
    cursor: str | None = None


class Branch(Value):
    """One end of the tree, for `/tree`: `shared_turns` of its `num_turns` are also on the current path.

    `preview` is what the user said last on the branch, on one line.
    """

    tip: str
    num_turns: int
    shared_turns: int
    preview: str
    time: datetime
    is_current: bool
