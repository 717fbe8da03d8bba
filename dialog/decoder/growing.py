"""The memory of one conversation while it is served: buffers that double and are cropped.

    remembered = GrowingMemory()
    remembered.append(decoder.read_more(taps, ids, kinds, after=remembered.last()))
    memory = remembered.view(kinds_T)

Legend: T tokens, S tokens there is room for, R rank.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dialog.decoder.memory import Memory

_LEAST_CAPACITY = 256
_PARTS = 5
"""Keys, values, hop keys, hop values and reads lie side by side in one buffer."""


class GrowingMemory:
    """Of one sequence. `length` is the number of tokens; used by one thread at a time."""

    def __init__(self) -> None:
        self.length = 0
        self._rows_1SW: Tensor | None = None
        self._ids_1S: Tensor | None = None

    def append(self, more: Memory) -> None:
        """Remember more tokens."""
        rows_1TW = torch.cat(more.parts()[:_PARTS], dim=-1)
        end = self.length + more.num_tokens
        rows_1SW, ids_1S = self._room(end, rows_1TW, more.ids_BT)
        rows_1SW[:, self.length : end] = rows_1TW
        ids_1S[:, self.length : end] = more.ids_BT
        self.length = end

    def view(self, kinds_T: Tensor) -> Memory:
        """All that is remembered, without copying; kinds are given, as a later prompt may change them."""
        assert self._rows_1SW is not None
        assert self._ids_1S is not None
        rows_1TW, ids_1T = self._rows_1SW[:, : self.length], self._ids_1S[:, : self.length]
        return _memory(rows_1TW, ids_1T, kinds_T[None])

    def last(self) -> Memory | None:
        """The last token alone: all that reading on needs; None if there is none."""
        if self.length == 0:
            return None
        assert self._rows_1SW is not None
        assert self._ids_1S is not None
        at = slice(self.length - 1, self.length)
        rows_11W, ids_11 = self._rows_1SW[:, at], self._ids_1S[:, at]
        return _memory(rows_11W, ids_11, torch.zeros_like(ids_11))

    def crop(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        self.length = min(self.length, length)

    def copy(self, length: int) -> GrowingMemory:
        """The first `length` tokens, in buffers of their own."""
        twin = GrowingMemory()
        if self._rows_1SW is not None and self._ids_1S is not None:
            twin.length = min(length, self.length)
            twin._rows_1SW = self._rows_1SW[:, : twin.length].clone()
            twin._ids_1S = self._ids_1S[:, : twin.length].clone()
        return twin

    def num_bytes(self) -> int:
        return sum(one.nbytes for one in (self._rows_1SW, self._ids_1S) if one is not None)

    def _room(self, length: int, rows_1TW: Tensor, ids_1T: Tensor) -> tuple[Tensor, Tensor]:
        old, old_ids = self._rows_1SW, self._ids_1S
        if old is not None and old_ids is not None and old.shape[1] >= length:
            return old, old_ids
        capacity = _LEAST_CAPACITY
        while capacity < length:
            capacity *= 2
        rows_1SW = rows_1TW.new_zeros(1, capacity, rows_1TW.shape[2])
        ids_1S = ids_1T.new_zeros(1, capacity)
        if old is not None and old_ids is not None:
            rows_1SW[:, : self.length] = old[:, : self.length]
            ids_1S[:, : self.length] = old_ids[:, : self.length]
        self._rows_1SW, self._ids_1S = rows_1SW, ids_1S
        return rows_1SW, ids_1S


def _memory(rows_1TW: Tensor, ids_1T: Tensor, kinds_1T: Tensor) -> Memory:
    keys, values, hop_keys, hop_values, reads = rows_1TW.chunk(_PARTS, dim=-1)
    return Memory(keys, values, hop_keys, hop_values, reads, ids_1T, kinds_1T)
