"""`SqlStore`: conversations in SQLite or PostgreSQL.

What it promises: once `append` returns, its entries are on the disk; two
writers never both move one head; a repeated turn key is the same turn; entries
of a conversation keep the order in which they were acknowledged. Safe to share
between threads.

    with open_store(url) as store:
        head = store.append("c-42", [said], expected_head=store.head("c-42"))
        store.load("c-42").turns()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import JsonValue
from sqlalchemy import Row, and_, bindparam, or_, select

from dialog.conversation import Conversation
from dialog.entries import Entry, Replied, UserSaid
from dialog.errors import StoreError
from dialog.heads import ConversationSummary, Head, Page
from dialog.store import named, outbox, search, turns, upkeep, write
from dialog.store.codec import load, load_all
from dialog.store.database import Database
from dialog.store.keys import hour_of, key_of, restore_id
from dialog.store.quick import Quick
from dialog.store.recent import Known, Recent
from dialog.store.rows import find_row, head_of
from dialog.store.schema import conversations
from dialog.store.schema import entries as recorded

_BODIES = Quick(
    select(recorded.c.body)
    .where(
        recorded.c.conversation == bindparam("num"),
        recorded.c.position >= bindparam("start"),
        recorded.c.position < bindparam("stop"),
    )
    .order_by(recorded.c.position)
)


class SqlStore:
    """A `dialog.protocols.Store` and more. Made by `dialog.store.open_store`.

    Attributes:
        notices: what the user should be told about the opening; usually empty.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self.database = database
        self.notices = database.notices
        self._now = now
        self._recent = Recent()
        self._threads = turns.Threads()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; nothing is lost by not calling it."""
        self.database.close()

    # the record

    def append(
        self,
        conversation_id: str,
        entries: Sequence[Entry],
        *,
        expected_head: Head | None,
        head: str | None = None,
        tip: str | None = None,
        actions: Sequence[outbox.NewAction] = (),
    ) -> Head:
        """Add entries and move the head, or change nothing.

        Args:
            entries: parents first; each follows a recorded entry or one before it. None: only move the head.
            expected_head: the head as last seen; None for a conversation that must not exist yet.
            head: where the head moves; the last new entry if not given.
            tip: the branch's end, for redo; the head if not given.
            actions: recorded with the entries, to be done once (`dialog.store.outbox`).

        Raises:
            StaleHead: the conversation is not at `expected_head` any more.
            DuplicateTurn: a UserSaid has the turn key of a recorded one.
            ValueError: an entry's id is known already, or its parent, the head or the tip is not.
            StoreError: the database failed; nothing was recorded.
        """
        written = write.append(
            self.database,
            conversation_id,
            entries,
            expected_head=expected_head,
            head=head,
            tip=tip,
            actions=actions,
            now=self._now(),
        )
        self._follow(conversation_id, written, expected_head)
        return written.head

    def load(self, conversation_id: str) -> Conversation:
        """The whole tree; an unknown id gives an empty conversation.

        Raises:
            StoreError: an entry is damaged, or of a kind only a newer version knows.
        """
        known = self._recent.get(conversation_id)
        with self.database.quick_reading() as cursor:
            row = find_row(cursor, conversation_id)
            if row is None:
                self._recent.drop(conversation_id)
                return Conversation.empty(conversation_id)
            head = head_of(conversation_id, row)
            if known is not None and known.num == row.num:
                if known.conversation.head == head:
                    return known.conversation
                conversation = known.conversation
            else:
                conversation = Conversation.empty(conversation_id)
            span = {"num": row.num, "start": conversation.num_entries, "stop": row.num_entries}
            bodies = [body for (body,) in cursor.rows(_BODIES, **span)]
        if len(bodies) != row.num_entries - conversation.num_entries and self.head(conversation_id) != head:
            return self.load(conversation_id)  # deleted and begun again while it was read
        new = load_all(bodies, where=f"conversation {conversation_id!r}")
        try:
            conversation = conversation.extended(new, head)
        except ValueError as error:
            raise StoreError(
                f"conversation {conversation_id!r} is damaged: {error}; restore a backup or delete it"
            ) from error
        self._recent.put(conversation_id, Known(row.num, conversation))
        return conversation

    def head(self, conversation_id: str) -> Head | None:
        """The current head, cheaply; None for an unknown id."""
        with self.database.quick_reading() as cursor:
            row = find_row(cursor, conversation_id)
        return head_of(conversation_id, row) if row is not None else None

    def list(self, *, limit: int, cursor: str | None = None) -> Page[ConversationSummary]:
        """Most recently active first. Raises ValueError for a cursor that is not one of ours."""
        order = (conversations.c.hour.desc(), conversations.c.updated.desc(), conversations.c.num.desc())
        statement = select(conversations).order_by(*order).limit(limit + 1)
        if cursor is not None:
            updated, _, num = cursor.partition("|")
            if not num.isdecimal():
                raise ValueError(f"{cursor!r} is not a cursor of this list; take it from the page before")
            statement = statement.where(
                conversations.c.hour <= hour_of(updated),
                or_(
                    conversations.c.updated < updated,
                    and_(conversations.c.updated == updated, conversations.c.num < int(num)),
                ),
            )
        with self.database.reading() as connection:
            rows = connection.execute(statement).all()
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(
            items=tuple(_summary(row) for row in rows[:limit]),
            cursor=f"{last.updated}|{last.num}" if last is not None else None,
        )

    # turns

    def hold(self, conversation_id: str, *, timeout_s: float = 600.0) -> AbstractContextManager[None]:
        """The sole right to a turn within the block, across processes (`dialog.store.turns`)."""
        return turns.hold(self.database, self._threads, conversation_id, timeout_s=timeout_s)

    def find_said(self, conversation_id: str, turn_key: str) -> UserSaid | None:
        """The user's turn recorded under `turn_key`, answered or not."""
        entry = self._entry(conversation_id, recorded.c.turn_key == key_of(turn_key))
        assert entry is None or isinstance(entry, UserSaid)
        return entry

    def find_turn(self, conversation_id: str, turn_key: str) -> Replied | None:
        """The newest reply to the turn recorded under `turn_key`; None while it has none."""
        said = self.find_said(conversation_id, turn_key)
        if said is None:
            return None
        is_reply = and_(recorded.c.turn == key_of(said.id), recorded.c.kind == "replied")
        entry = self._entry(conversation_id, is_reply)
        assert entry is None or isinstance(entry, Replied)
        return entry

    # actions

    def claim(
        self, worker: str, *, lease_s: float = 60.0, only: str | None = None, names: Sequence[str] = ()
    ) -> outbox.Action | None:
        """The oldest action that nobody is doing, now `worker`'s for `lease_s`; None if there is none."""
        return outbox.claim(self.database, worker, lease_s=lease_s, now=self._now(), only=only, names=names)

    def complete(self, action_id: str, *, worker: str, result: JsonValue = None) -> None:
        """It is done and never handed out again. Raises StoreError if it is not `worker`'s any more."""
        outbox.complete(self.database, action_id, worker=worker, result=result)

    def find_action(self, action_id: str) -> outbox.Action | None:
        """An action as it stands; None if there is none."""
        return outbox.find_action(self.database, action_id)

    # named values

    def get_setting(self, name: str) -> named.Setting:
        """A small value kept beside the conversations; version 0 and None if it was never put."""
        return named.get(self.database, name)

    def put_setting(self, name: str, value: JsonValue, *, expected_version: int) -> named.Setting:
        """Replace a value. Raises StaleHead if it is no longer at `expected_version`."""
        return named.put(self.database, name, value, expected_version=expected_version)

    # finding, keeping

    def search(
        self, query: str, *, limit: int = 20, conversation_id: str | None = None
    ) -> tuple[search.Hit, ...]:
        """Messages that contain every part of `query`, best first (`dialog.store.search`)."""
        return search.search(self.database, query, limit=limit, conversation_id=conversation_id)

    def ids(self) -> Iterator[str]:
        """Every conversation's id, most recently active first."""
        cursor: str | None = None
        while True:
            page = self.list(limit=500, cursor=cursor)
            yield from (item.id for item in page.items)
            cursor = page.cursor
            if cursor is None:
                return

    def delete(self, conversation_id: str) -> bool:
        """Remove a conversation for good; False if there is none."""
        self._recent.drop(conversation_id)
        return upkeep.delete_conversation(self.database, conversation_id)

    def prune(self, *, older_than: datetime | None = None, max_bytes: int | None = None) -> upkeep.Pruned:
        """Remove what is older, then the longest unused beyond `max_bytes` (`dialog.store.upkeep`)."""
        return upkeep.prune(self.database, older_than=older_than, max_bytes=max_bytes)

    def add(self, conversation: Conversation) -> Head:
        """Record a conversation from elsewhere (import, fork). Raises StaleHead if its id is taken."""
        head = conversation.head
        return self.append(
            conversation.id,
            conversation.entries(),
            expected_head=None,
            head=head.head if head else None,
            tip=head.tip if head else None,
        )

    def backup(self, target: str | Path) -> None:
        """A consistent copy of an SQLite store while it is in use (`dialog.store.upkeep`)."""
        upkeep.backup(self.database, Path(target))

    def num_bytes(self) -> int:
        """Bytes of all recorded entries."""
        return upkeep.num_bytes(self.database)

    def _follow(self, conversation_id: str, written: write.Written, expected: Head | None) -> None:
        """Keep the remembered view up with what was just written, if it was up to date before."""
        before = Conversation.empty(conversation_id)
        if expected is not None:
            known = self._recent.get(conversation_id)
            if known is None or known.num != written.num or known.conversation.head != expected:
                return
            before = known.conversation
        grown = before.extended(written.entries, written.head)
        self._recent.put(conversation_id, Known(written.num, grown))

    def _entry(self, conversation_id: str, condition: Any) -> Entry | None:
        statement = (
            select(recorded.c.body)
            .join(conversations, conversations.c.num == recorded.c.conversation)
            .where(conversations.c.key == key_of(conversation_id), condition)
            .order_by(recorded.c.position.desc())
            .limit(1)
        )
        with self.database.reading() as connection:
            body = connection.execute(statement).scalar_one_or_none()
        return load(body, where=f"conversation {conversation_id!r}") if body is not None else None


def _summary(row: Row[Any]) -> ConversationSummary:
    return ConversationSummary(
        id=restore_id(row.id),
        title=row.title,
        num_turns=row.num_turns,
        created=datetime.fromisoformat(row.created),
        updated=datetime.fromisoformat(row.updated),
    )
