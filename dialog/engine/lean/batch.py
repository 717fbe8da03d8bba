"""New tokens of several sequences in one pass: weights are read once, each token attends to its own past.

Shapes: R tokens of whichever sequences, H query heads, K key-value heads, D dimensions of a head.

    rows = Rows([([17], kv_of_one), ([4, 9], kv_of_another)])
    for index, layer in enumerate(one_by_one(layer) for layer in layers):
        hidden_RE = layer.around(rows.attend(index, layer), hidden_RE, table_T1D=table[rows.positions])
    rows.settle()

Every token is computed with the weights, the norm and the attention it would
have alone. Packed kernels sum each row on its own, so its logits are the same
to the bit; products of plain weights are rounded otherwise in company.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from dialog.engine.lean.kv import KeyValues
from dialog.engine.lean.layer import Attend, Layer, Norm
from dialog.engine.lean.linear import MAX_FEW, ByLength, Dense, Linear
from dialog.engine.lean.lowrank import Adapter

Piece = tuple[Sequence[int], KeyValues]


class Rows:
    """Where the tokens of a pass stand. The caches are as before until `settle`, which cannot fail."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.ids: list[int] = []
        self.positions: list[int] = []
        self.adapters: list[Adapter | None] = []
        self._caches: list[KeyValues] = []
        self._lengths: list[tuple[KeyValues, int]] = []
        for ids, kv in pieces:
            end = kv.length + len(ids)
            kv.reserve(end)
            self.ids += ids
            self.positions += range(kv.length, end)
            self._caches += [kv] * len(ids)
            self.adapters += [kv.adapter] * len(ids)
            self._lengths.append((kv, end))
        self._places = [kv.at(position) for kv, position in zip(self._caches, self.positions, strict=True)]
        self._seen: dict[int | None, list[list[tuple[Tensor, Tensor]]]] = {}

    def attend(self, index: int, layer: Layer) -> Attend:
        """How layer `index` mixes what its rows look back on."""
        seen = self._seen_by(layer)

        def mixed(queries_RHD: Tensor, keys_RKD: Tensor, values_RKD: Tensor) -> Tensor:
            new_R2KD = torch.stack((keys_RKD.to(values_RKD.dtype), values_RKD), 1)
            for places, new_2KD in zip(self._places, new_R2KD.unbind(), strict=True):
                places[index].copy_(new_2KD)
            rows = zip(queries_RHD.unbind(), seen, strict=True)
            return torch.cat([layer.attend_one(queries_HD, *past[index]) for queries_HD, past in rows])

        return mixed

    def settle(self) -> None:
        """Count the tokens as read."""
        for kv, end in self._lengths:
            kv.length = end

    def _seen_by(self, layer: Layer) -> list[list[tuple[Tensor, Tensor]]]:
        """Keys and values of every row's past, by layer; the same for all layers of one window."""
        if layer.window not in self._seen:
            self._seen[layer.window] = [
                kv.seen(layer.begin(position + 1), position + 1)
                for kv, position in zip(self._caches, self.positions, strict=True)
            ]
        return self._seen[layer.window]


def one_by_one(layer: Layer) -> Layer:
    """The layer as it treats a token that comes alone, for any number of tokens."""
    return replace(
        layer,
        qkv=for_each(layer.qkv),
        out=for_each(layer.out),
        gate_up=for_each(layer.gate_up),
        down=for_each(layer.down),
        attention_norm=for_each(layer.attention_norm),
        feed_norm=for_each(layer.feed_norm),
        attention_out_norm=layer.attention_out_norm and for_each(layer.attention_out_norm),
        feed_out_norm=layer.feed_out_norm and for_each(layer.feed_out_norm),
    )


def for_each(part: Linear) -> Linear:
    """A linear map or a norm as it is for a token alone."""
    match part:
        case ByLength(few=few):
            return few
        case Norm():
            return part.of_each
        case Dense(weight_OI=weight) if weight.device.type == "cpu" and weight.dtype == torch.float32:
            return _AtLeastFew(part)
        case _:
            return part


@dataclass(frozen=True, slots=True)
class _AtLeastFew:
    """In float32 a product of two or three rows takes longer than one of four."""

    linear: Linear

    def __call__(self, states_TI: Tensor) -> Tensor:
        num_rows = states_TI.shape[0]
        if num_rows >= MAX_FEW:
            return self.linear(states_TI)
        return self.linear(functional.pad(states_TI, (0, 0, 0, MAX_FEW - num_rows)))[:num_rows]
