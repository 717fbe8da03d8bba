"""Nodes of a conversation's tree: parent pointers, and a second pointer that jumps.

`Node` and `Arena` are what makes `dialog.conversation` quick; nothing here
knows about heads, turns' texts or stores. The jump pointers are those of
Myers' skew-binary lists: any ancestor is reached in O(log n) steps and a new
node costs O(1).

    arena = Arena(); arena.extend(entries)
    arena.find(entry_id).first_of_turn(3)
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from dialog.entries import Entry, HandedOff, Resumed, UserSaid
from dialog.values import HandoffStatus

REMEMBERED = 16


class Node:
    """An entry in its place: depth from 0, user turns so far, and who has the conversation after it."""

    __slots__ = ("depth", "entry", "handoff", "jump", "num_turns", "parent", "position")

    def __init__(self, entry: Entry, parent: Node | None, position: int) -> None:
        self.entry = entry
        self.parent = parent
        self.position = position
        self.depth: int = parent.depth + 1 if parent else 0
        self.num_turns: int = (parent.num_turns if parent else 0) + isinstance(entry, UserSaid)
        self.handoff: HandoffStatus = _handoff_after(entry, parent)
        self.jump: Node = _jump_of(parent) if parent else self

    def back(self) -> Iterator[Node]:
        """This node and its ancestors, nearest first."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def ancestor(self, depth: int) -> Node:
        """The ancestor (or self) at `depth`, which is at most this node's."""
        node = self
        while node.depth > depth:
            node = node.jump if node.jump.depth >= depth else _parent(node)
        return node

    def first_of_turn(self, num_turns: int) -> Node:
        """The UserSaid that opened the turn after which `num_turns` (from 1) had been said."""
        node = self
        while node.parent is not None and node.parent.num_turns >= num_turns:
            node = node.jump if node.jump.num_turns >= num_turns else node.parent
        return node

    def last_of_turn(self, num_turns: int) -> Node:
        """The nearest ancestor (or self) by which at most `num_turns` had been said, else the root."""
        node = self
        while node.num_turns > num_turns and node.parent is not None:
            node = node.jump if node.jump.num_turns > num_turns else node.parent
        return node

    def common(self, other: Node) -> Node | None:
        """The nearest common ancestor (or self); None if the two have different roots."""
        depth = min(self.depth, other.depth)
        left: Node = self.ancestor(depth)
        right: Node = other.ancestor(depth)
        while left is not right:
            if left.parent is None or right.parent is None:
                return None
            if left.jump is not right.jump:
                left, right = left.jump, right.jump
            else:
                left, right = _parent(left), _parent(right)
        return left

    def leads_to(self, other: Node) -> bool:
        """True if `other` is this node or comes after it."""
        return self.depth <= other.depth and other.ancestor(self.depth) is self


def _parent(node: Node) -> Node:
    assert node.parent is not None
    return node.parent


def _turn_key(node: Node) -> str | None:
    return node.entry.turn_key if isinstance(node.entry, UserSaid) else None


def _jump_of(parent: Node) -> Node:
    far = parent.jump
    return far.jump if parent.depth - far.depth == far.depth - far.jump.depth else parent


def _handoff_after(entry: Entry, parent: Node | None) -> HandoffStatus:
    if isinstance(entry, HandedOff):
        return entry.status
    if isinstance(entry, Resumed):
        return "bot"
    return parent.handoff if parent else "bot"


class Arena:
    """Append-only nodes shared by the views of one conversation.

    `extended` grows in place for the newest view and copies for an older one,
    so no view ever sees an entry it was not given; two views that are given the
    same entries grow it once. It also holds what folds
    remember about nodes: some for good, of the others the newest few.
    """

    def __init__(self) -> None:
        self._nodes: list[Node] = []
        self._by_id: dict[str, Node] = {}
        self._children: dict[str | None, list[Node]] = {}
        self._by_turn_key: dict[str, Node] = {}
        self.lock = threading.Lock()
        self._checkpoints: dict[Node, Any] = {}
        self._recent: dict[Node, Any] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def find(self, id: str) -> Node | None:
        return self._by_id.get(id)

    def with_turn_key(self, turn_key: str) -> Node | None:
        """What the user said under `turn_key`, on whatever branch."""
        return self._by_turn_key.get(turn_key)

    def nodes(self, size: int) -> Iterator[Node]:
        """The first `size` nodes, in recorded order."""
        return islice(self._nodes, size)

    def children(self, id: str | None) -> tuple[Node, ...]:
        return tuple(self._children.get(id, ()))

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add entries, parents first; all of them or none. Raises ValueError as `Conversation.of` does."""
        size = len(self._nodes)
        try:
            for entry in entries:
                self._add(entry)
        except ValueError:
            self._cut(size)
            raise

    def extended(self, entries: Iterable[Entry], *, size: int) -> Arena:
        """An arena with the first `size` nodes of this one and then `entries`: this one if it can grow."""
        added = tuple(entries)
        with self.lock:
            if len(self._nodes) == size:
                self.extend(added)
            elif not self._has_grown_by(added, size):
                copy = self._copy(size)
                copy.extend(added)
                return copy
            return self

    def remembered(self, node: Node) -> Any:
        """What was remembered about `node`; None if nothing, or nothing any more."""
        known = self._recent.get(node)
        return known if known is not None else self._checkpoints.get(node)

    def remember(self, node: Node, value: Any, *, forever: bool = False) -> None:
        """Keep `value` for `node`: for good, or until `REMEMBERED` newer ones have come."""
        with self.lock:
            if forever:
                self._checkpoints[node] = value
                return
            self._recent.pop(node, None)
            self._recent[node] = value
            while len(self._recent) > REMEMBERED:
                del self._recent[next(iter(self._recent))]

    def _has_grown_by(self, added: tuple[Entry, ...], size: int) -> bool:
        """True if another view was given the same entries at this place before."""
        return tuple(node.entry for node in self._nodes[size : size + len(added)]) == added

    def _add(self, entry: Entry) -> None:
        if entry.id in self._by_id:
            raise ValueError(f"entry {entry.id!r} is already recorded")
        parent = self._by_id.get(entry.parent) if entry.parent is not None else None
        if parent is None and entry.parent is not None:
            raise ValueError(f"entry {entry.id!r} follows {entry.parent!r}, which is not recorded")
        self._link(Node(entry, parent, len(self._nodes)))

    def _link(self, node: Node) -> None:
        self._nodes.append(node)
        self._by_id[node.entry.id] = node
        self._children.setdefault(node.entry.parent, []).append(node)
        if (key := _turn_key(node)) is not None:
            self._by_turn_key.setdefault(key, node)

    def _cut(self, size: int) -> None:
        while len(self._nodes) > size:
            node = self._nodes.pop()
            del self._by_id[node.entry.id]
            self._children[node.entry.parent].pop()
            if (key := _turn_key(node)) is not None and self._by_turn_key[key] is node:
                del self._by_turn_key[key]

    def _copy(self, size: int) -> Arena:
        arena = Arena()
        for node in self.nodes(size):
            arena._link(node)
        return arena
