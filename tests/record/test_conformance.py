"""The public conformance kit, over both databases, and over stores that break its rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from dialog.conversation import Conversation
from dialog.entries import Entry
from dialog.heads import Head
from dialog.protocols import Store
from dialog.store.sql import SqlStore
from dialog.testing.stores import (
    STORE_CHECKS,
    OpenStore,
    odd_ids_never_collide,
    stale_head_is_refused,
)

Check = Callable[[OpenStore], None]
every_check = pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)


@every_check
def test_sqlite_store(check: Check, sqlite_url: str, opened: Callable[[str], SqlStore]) -> None:
    check(lambda: opened(sqlite_url))


@every_check
def test_store_in_memory(check: Check, opened: Callable[[str], SqlStore]) -> None:
    store: Store = opened("sqlite://")
    check(lambda: store)


@pytest.mark.postgres
@every_check
def test_postgresql_store(check: Check, postgres_url: str, opened: Callable[[str], SqlStore]) -> None:
    check(lambda: opened(postgres_url))


class _LastWriterWins(SqlStore):
    """A store without the compare-and-set."""

    def append(  # type: ignore[override]
        self,
        conversation_id: str,
        entries: Sequence[Entry],
        *,
        expected_head: Head | None,
        **where: str | None,
    ) -> Head:
        known = self.head(conversation_id)
        return super().append(conversation_id, entries, expected_head=known, **where)  # type: ignore[arg-type]


class _FoldsCase(SqlStore):
    """A store that takes ids for file names."""

    def load(self, conversation_id: str) -> Conversation:
        return super().load(conversation_id.strip().lower())


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (_LastWriterWins, stale_head_is_refused),
        (_FoldsCase, odd_ids_never_collide),
    ],
)
def test_kit_finds_a_broken_store(
    kind: type[SqlStore], check: Check, sqlite_url: str, opened: Callable[[str], SqlStore]
) -> None:
    def open_broken() -> Store:
        sound = opened(sqlite_url)
        return kind(sound.database, now=sound._now)

    with pytest.raises((AssertionError, ValueError)):
        check(open_broken)
