"""The tree of a conversation's entries and the head that moves over it.

A `Conversation` is a value: appending, undoing or switching gives another one
and leaves the old one as it was. Views share their entries, so an append costs
the same at turn 10 and at turn 10,000. Nothing here reads or writes a store,
and nothing is ever deleted: undo, edit and fork only move the head.

    conversation = Conversation.empty("c-42").append(said, replied)
    conversation.undo().redo().turns()

The head a store returns is the authority on `version`; `at` puts it on a view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dialog.entries import (
    Entry,
    Replied,
    UserSaid,
)
from dialog.heads import PREVIEW_CHARS, Branch, Head
from dialog.tree import Arena, Node
from dialog.values import Turn


class Conversation:
    """An immutable view of a tree of entries. Made by `empty` or `of`; safe to share between threads."""

    __slots__ = ("_arena", "_head", "_size", "id")

    def __init__(self, id: str, arena: Arena, *, size: int = 0, head: Head | None = None) -> None:
        self.id = id
        self._arena = arena
        self._size = size
        self._head = head

    @classmethod
    def empty(cls, id: str) -> Conversation:
        """A conversation nobody has said anything in; its `head` is None."""
        return cls(id, Arena())

    @classmethod
    def of(cls, id: str, entries: Iterable[Entry], head: Head | None) -> Conversation:
        """The conversation of entries in recorded order (parents first).

        Raises:
            ValueError: an id comes twice, or a parent or the head is not among the entries.
        """
        return cls.empty(id).extended(entries, head)

    # what is there

    @property
    def head(self) -> Head | None:
        """Where the conversation stands; None before anything was recorded."""
        return self._head

    @property
    def head_id(self) -> str | None:
        """Id of the entry at the head: the parent of whatever is appended next."""
        return self._head.head if self._head else None

    @property
    def head_node(self) -> Node | None:
        """The head's node, for folds along the path (`dialog.state`)."""
        return self._node(self.head_id)

    @property
    def arena(self) -> Arena:
        """What views share; folds keep their intermediate results with it."""
        return self._arena

    @property
    def num_entries(self) -> int:
        """Entries of the whole tree, all branches."""
        return self._size

    @property
    def num_turns(self) -> int:
        """User turns along the path to the head."""
        node = self.head_node
        return node.num_turns if node else 0

    def entries(self) -> tuple[Entry, ...]:
        """Every entry of every branch, in recorded order."""
        return tuple(node.entry for node in self._arena.nodes(self._size))

    def entry(self, id: str) -> Entry:
        """The entry called `id`. Raises ValueError if it is not in this conversation."""
        node = self._node(id)
        assert node is not None
        return node.entry

    def in_order(self, entries: Iterable[Entry]) -> list[Entry]:
        """`entries` of this conversation as they were recorded, oldest first."""
        nodes = [node for entry in entries if (node := self._node(entry.id)) is not None]
        return [node.entry for node in sorted(nodes, key=lambda node: node.position)]

    def __contains__(self, id: object) -> bool:
        node = self._arena.find(id) if isinstance(id, str) else None
        return node is not None and node.position < self._size

    def children(self, id: str | None) -> tuple[Entry, ...]:
        """Entries that follow `id`, oldest first; those of None are the roots."""
        self._node(id)
        return tuple(node.entry for node in self._arena.children(id) if node.position < self._size)

    def said_with_key(self, turn_key: str) -> UserSaid | None:
        """The message that was sent under `turn_key`, on whatever branch."""
        node = self._arena.with_turn_key(turn_key)
        if node is None or node.position >= self._size:
            return None
        assert isinstance(node.entry, UserSaid)
        return node.entry

    def entries_back(self) -> Iterator[Entry]:
        """The path, newest first, read lazily."""
        return (node.entry for node in self.nodes_back())

    def nodes_back(self) -> Iterator[Node]:
        """The path's nodes, newest first, read lazily."""
        node = self.head_node
        while node is not None:
            yield node
            node = node.parent

    def path(self) -> tuple[Entry, ...]:
        """The entries from the root to the head, oldest first."""
        return tuple(self.entries_back())[::-1]

    def turns_back(self) -> Iterator[Turn]:
        """The turns along the path, newest first, read lazily; also those a person answered."""
        return turns_of(self.nodes_back())

    def turns(self) -> tuple[Turn, ...]:
        """The turns along the path, oldest first."""
        return tuple(self.turns_back())[::-1]

    # what may follow

    def append(self, *entries: Entry) -> Conversation:
        """The conversation with `entries` after the head, which moves to the last of them.

        Raises:
            ValueError: the first entry's parent is not the head, or another's is not its predecessor.
        """
        parent = self.head_id
        for entry in entries:
            if entry.parent != parent:
                raise ValueError(
                    f"entry {entry.id!r} has parent {entry.parent!r} but follows {parent!r}; "
                    "set parent=conversation.head_id, or move the head first"
                )
            parent = entry.id
        return self.extended(entries, self._moved(parent, tip=parent)) if entries else self

    def extended(self, entries: Iterable[Entry], head: Head | None) -> Conversation:
        """The conversation with entries anywhere in the tree, and a given head (what a store recorded)."""
        added = tuple(entries)
        arena = self._arena.extended(added, size=self._size)
        grown = Conversation(self.id, arena, size=self._size + len(added))
        return grown.at(head) if head else grown

    def at(self, head: Head) -> Conversation:
        """The same tree with another head. Raises ValueError if head or tip is not in the tree."""
        if head.conversation_id != self.id:
            raise ValueError(f"the head belongs to {head.conversation_id!r}, this is {self.id!r}")
        self._node(head.head)
        self._node(head.tip)
        return self._view(head)

    def undo(self) -> Conversation:
        """One user turn back: the head becomes the parent of the newest UserSaid.

        Raises:
            ValueError: there is no user turn to undo.
        """
        if self.num_turns == 0:
            raise ValueError(f"conversation {self.id!r} has no user turn to undo")
        return self._view(self._moved(self._before_turn(self.num_turns - 1), tip=self._tip_id))

    def redo(self) -> Conversation:
        """One user turn towards the tip. Raises ValueError if the head is the tip."""
        tip, head = self._node(self._tip_id), self.head_node
        if tip is None or tip is head or (head is not None and not head.leads_to(tip)):
            raise ValueError(
                f"conversation {self.id!r} has nothing to redo; its head is the end of the branch"
            )
        target = tip.last_of_turn(self.num_turns + 1)
        return self._view(self._moved(target.entry.id, tip=tip.entry.id))

    def edit(self, turn_index: int) -> Conversation:
        """The head before user turn `turn_index` (from 0), ready for another UserSaid in its place.

        Raises:
            ValueError: there is no such turn on the path.
        """
        if not 0 <= turn_index < self.num_turns:
            raise ValueError(
                f"conversation {self.id!r} has {self.num_turns} turns, numbered from 0; no turn {turn_index}"
            )
        before = self._before_turn(turn_index)
        return self._view(self._moved(before, tip=before))

    def switch(self, tip: str) -> Conversation:
        """The head moved to another branch's end (see `tips`). Raises ValueError if it is unknown."""
        self._node(tip)
        return self._view(self._moved(tip, tip=tip))

    def fork(self, new_id: str) -> Conversation:
        """Another conversation that begins with this one's path to the head; entries keep their ids."""
        if new_id == self.id:
            raise ValueError(f"a fork needs an id of its own, not {new_id!r}")
        return Conversation.empty(new_id).append(*self.path())

    def tips(self) -> tuple[Branch, ...]:
        """The ends of all branches, oldest first, and how much each shares with the current path."""
        current = self._node(self._tip_id) or self.head_node
        leaves = [node for node in self._arena.nodes(self._size) if not self.children(node.entry.id)]
        return tuple(self._branch(leaf, current) for leaf in leaves)

    def _branch(self, leaf: Node, current: Node | None) -> Branch:
        said = next((node.entry for node in leaf.back() if isinstance(node.entry, UserSaid)), None)
        shared = leaf.common(current) if current else None
        text = " ".join(said.text[: 4 * PREVIEW_CHARS].split()) if said else ""
        return Branch(
            tip=leaf.entry.id,
            num_turns=leaf.num_turns,
            shared_turns=shared.num_turns if shared else 0,
            preview=text if len(text) <= PREVIEW_CHARS else text[: PREVIEW_CHARS - 1] + "…",
            time=leaf.entry.time,
            is_current=leaf is current,
        )

    @property
    def _tip_id(self) -> str | None:
        return self._head.tip if self._head else None

    def _before_turn(self, turn_index: int) -> str | None:
        node = self.head_node
        assert node is not None
        said = node.first_of_turn(turn_index + 1)
        return said.parent.entry.id if said.parent else None

    def _moved(self, head: str | None, *, tip: str | None) -> Head:
        version = self._head.version + 1 if self._head else 1
        return Head(conversation_id=self.id, head=head, tip=tip, version=version)

    def _view(self, head: Head) -> Conversation:
        return Conversation(self.id, self._arena, size=self._size, head=head)

    def _node(self, id: str | None) -> Node | None:
        if id is None:
            return None
        node = self._arena.find(id)
        if node is None or node.position >= self._size:
            raise ValueError(f"conversation {self.id!r} has no entry {id!r}")
        return node

    def __repr__(self) -> str:
        return f"Conversation({self.id!r}, {self.num_turns} turns, head={self.head_id!r})"


def turns_of(nodes_back: Iterable[Node]) -> Iterator[Turn]:
    """Group nodes of a path, newest first, into turns, newest first.

    Several replies to one user turn (imported logs have them) are joined by
    line breaks; what comes before the first user turn belongs to none.
    """
    replies: list[tuple[int, Replied]] = []
    for node in nodes_back:
        entry = node.entry
        if isinstance(entry, Replied):
            replies.append((node.num_turns, entry))
        elif isinstance(entry, UserSaid):
            own = [replied for num_turns, replied in replies if num_turns == node.num_turns]
            yield Turn(
                index=node.num_turns - 1,
                user_id=entry.id,
                user=entry.text,
                reply_id=own[0].id if own else None,
                reply="\n".join(replied.reply.text for replied in reversed(own)) if own else None,
            )
            replies.clear()
