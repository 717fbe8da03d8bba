"""Keys and values of all that was read: one buffer for all layers, which doubles, is cropped and copied.

Shapes: L layers, K key-value heads, S tokens there is room for, D dimensions of a head.

    kv = KeyValues(num_layers=30, num_heads=3, head_dim=64, dtype=torch.bfloat16)
    kv.reserve(482)
    keys_KSD, values_KSD = kv.layer(0)      # filled by the forward pass up to `length`
    kv.crop(400)

A window of attention is a matter of what is looked at: nothing is thrown
away, so a conversation can always go back.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dialog.engine.lean.lowrank import Adapter

_LEAST_CAPACITY = 256


class KeyValues:
    """What one conversation's tokens left behind, read with `adapter`. Used by one thread at a time."""

    def __init__(
        self,
        *,
        num_layers: int,
        num_heads: int,
        head_dim: int,
        dtype: torch.dtype,
        device: torch.device | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        self.length = 0
        self.adapter = adapter
        self._buffer_L2KSD = torch.empty(num_layers, 2, num_heads, 0, head_dim, dtype=dtype, device=device)

    def reserve(self, length: int) -> None:
        """Have room for `length` tokens; what there is stays."""
        capacity = self._buffer_L2KSD.shape[3]
        if capacity >= length:
            return
        capacity = max(capacity, _LEAST_CAPACITY)
        while capacity < length:
            capacity *= 2
        old = self._buffer_L2KSD
        # Zeros, not garbage: a masked key must still be a number.
        self._buffer_L2KSD = old.new_zeros(*old.shape[:3], capacity, old.shape[4])
        self._buffer_L2KSD[:, :, :, : self.length] = old[:, :, :, : self.length]

    def layer(self, index: int) -> tuple[Tensor, Tensor]:
        """Keys and values (K, S, D) of a layer; those from `length` on are yet to be written."""
        keys_KSD, values_KSD = self._buffer_L2KSD[index]
        return keys_KSD, values_KSD

    def at(self, position: int) -> tuple[Tensor, ...]:
        """Where each layer keeps one token's keys and values, (2, K, D) each; `reserve` comes first."""
        return self._buffer_L2KSD[:, :, :, position].unbind()

    def seen(self, begin: int, end: int) -> list[tuple[Tensor, Tensor]]:
        """Keys and values (1, K, end - begin, D) of every layer."""
        both = self._buffer_L2KSD[:, :, None, :, begin:end].flatten(0, 1).unbind()
        return list(zip(both[::2], both[1::2], strict=True))

    def crop(self, length: int) -> bool:
        """Forget all but the first `length` tokens; always possible, hence True."""
        self.length = length
        return True

    def copy(self, length: int) -> KeyValues:
        """The first `length` tokens of the same past, bit for bit, to go on from differently."""
        layers, two, heads, _, size = self._buffer_L2KSD.shape
        twin = object.__new__(KeyValues)
        twin.adapter = self.adapter
        twin.length, twin._buffer_L2KSD = 0, self._buffer_L2KSD.new_empty(layers, two, heads, 0, size)
        twin.reserve(length)
        twin._buffer_L2KSD[:, :, :, :length] = self._buffer_L2KSD[:, :, :, :length]
        twin.length = length
        return twin

    def num_bytes(self) -> int:
        return self._buffer_L2KSD.nbytes
