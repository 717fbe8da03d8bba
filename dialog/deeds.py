"""What stands in a store's outbox: something to be done exactly once.

    NewAction(id="refund/A-1", name="refund", payload={"order": "A-1"})

The outbox itself is the store's (`dialog.store.outbox`, `protocols.Outbox`);
what an agent's actions make of it is `dialog.acting`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from dialog.values import Value

ActionStatus = Literal["pending", "claimed", "done"]


class NewAction(Value):
    """Something to be done once; the same `id` is the same action, whatever else it says."""

    id: str = Field(min_length=1)
    name: str
    payload: dict[str, JsonValue] = Field(default_factory=dict)


class Action(NewAction):
    """A claimed or finished action; `attempt` counts claims from 1."""

    conversation_id: str
    status: ActionStatus
    attempt: int
    result: JsonValue = None
