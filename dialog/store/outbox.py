"""Actions that must happen exactly once: recorded with the turn, done afterwards.

An action is written in the same transaction as the entries that decided it, so
it exists if and only if they do; its id makes a repeated turn the same action.
A worker claims it for a while (`lease_s`), does it, and completes it. If the
worker dies in between, the next claim says `attempt > 1`: only the receiver can
know whether the deed was done, so a handler passes `action.id` on as the
idempotency key. Once completed, an action is never handed out again.

    while action := store.claim("worker-1", lease_s=60):
        store.complete(action.id, worker="worker-1", result=send(action))
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import JsonValue
from sqlalchemy import BindParameter, Row, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dialog.deeds import Action as Action
from dialog.deeds import NewAction as NewAction
from dialog.errors import StoreError
from dialog.store.database import Database
from dialog.store.keys import keep_id, key_of, restore_id, timestamp
from dialog.store.quick import Cursor, Quick
from dialog.store.schema import actions

_NEW: dict[str, BindParameter[Any]] = {
    name: bindparam(name) for name in ("key", "id", "conversation_id", "name", "payload", "status", "attempt")
}
_ENQUEUE = Quick(
    sqlite.insert(actions).values(_NEW).on_conflict_do_nothing(),
    postgresql_statement=postgresql.insert(actions).values(_NEW).on_conflict_do_nothing(),
)


def enqueue(cursor: Cursor, conversation_id: str, new: Sequence[NewAction]) -> None:
    """Record actions within the caller's transaction; known ids are left as they are."""
    for action in new:
        cursor.run(
            _ENQUEUE,
            key=key_of(action.id),
            id=keep_id(action.id),
            conversation_id=keep_id(conversation_id),
            name=keep_id(action.name),
            payload=json.dumps(action.payload),
            status="pending",
            attempt=0,
        )


def claim(
    database: Database,
    worker: str,
    *,
    lease_s: float,
    now: datetime,
    only: str | None = None,
    names: Sequence[str] = (),
) -> Action | None:
    """The oldest action nobody has, or whose lease ran out; None if there is none.

    Args:
        only: the id of the one action to claim.
        names: what it may be called; anything if empty.
    """
    is_free = or_(
        actions.c.status == "pending",
        (actions.c.status == "claimed") & (actions.c.lease_until < timestamp(now)),
    )
    oldest = select(actions).where(is_free).order_by(actions.c.seq).limit(1)
    if only is not None:
        oldest = oldest.where(actions.c.key == key_of(only))
    if names:
        oldest = oldest.where(actions.c.name.in_([keep_id(name) for name in names]))
    with database.writing() as connection:
        row = connection.execute(oldest.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        connection.execute(
            update(actions)
            .where(actions.c.seq == row.seq)
            .values(
                status="claimed",
                attempt=row.attempt + 1,
                worker=keep_id(worker),
                lease_until=timestamp(now + timedelta(seconds=lease_s)),
            )
        )
    return _action(row).model_copy(update={"status": "claimed", "attempt": row.attempt + 1})


def complete(database: Database, action_id: str, *, worker: str, result: JsonValue) -> None:
    """Record that it is done. Raises StoreError if somebody else holds or has done the action."""
    statement = (
        update(actions)
        .where(
            actions.c.key == key_of(action_id),
            actions.c.status == "claimed",
            actions.c.worker == keep_id(worker),
        )
        .values(status="done", result=json.dumps(result), lease_until=None)
    )
    with database.writing() as connection:
        if connection.execute(statement).rowcount != 1:
            raise StoreError(
                f"action {action_id!r} is not held by {worker!r}: its lease ran out and another has it; "
                "claim with a longer lease_s"
            )


def find_action(database: Database, action_id: str) -> Action | None:
    """The action as it stands; None if it was never recorded."""
    with database.reading() as connection:
        row = connection.execute(select(actions).where(actions.c.key == key_of(action_id))).first()
    return _action(row) if row else None


def run_actions(
    handle: Callable[[Action], JsonValue],
    *,
    claim: Callable[[], Action | None],
    complete: Callable[[str, JsonValue], None],
) -> int:
    """Claim, handle and complete until nothing is left; the number done. `handle` may raise."""
    num_done = 0
    while (action := claim()) is not None:
        complete(action.id, handle(action))
        num_done += 1
    return num_done


def _action(row: Row[Any]) -> Action:
    return Action(
        id=restore_id(row.id),
        conversation_id=restore_id(row.conversation_id),
        name=restore_id(row.name),
        payload=json.loads(row.payload),
        status=row.status,
        attempt=row.attempt,
        result=json.loads(row.result) if row.result is not None else None,
    )
