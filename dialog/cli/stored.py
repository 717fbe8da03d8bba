"""Which conversation of the store is meant."""

from __future__ import annotations

from dialog.errors import StoreError
from dialog.protocols import Store


def require_conversation(store: Store, conversation_id: str) -> None:
    """Raises StoreError if nothing was ever recorded under this id."""
    if not conversation_id or store.load(conversation_id).head is None:
        raise StoreError(
            f"no conversation {conversation_id!r}; `instructrec history list` names those there are"
        )


def most_recent(store: Store) -> str | None:
    """Id of the conversation that was active last; None if there is none."""
    page = store.list(limit=1)
    return page.items[0].id if page.items else None
