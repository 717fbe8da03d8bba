"""Low-rank terms beside a model's maps, so that one set of weights serves many adapters.

Shapes: T tokens, R rows of whichever sequences, I inputs, O outputs, N ranks.

    layer = adapter.on(layers[3], 3)                    # every token through this adapter
    layer = for_rows(layers[3], 3, [adapter, None])     # the first row through it, the second without

The weights stay what they are, packed or plain, and the term is added to what
they give: in float32 for a few tokens, each by itself, so that a token comes
out the same to the bit whoever is read with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from dialog.engine.lean.layer import Layer
from dialog.engine.lean.linear import MAX_FEW, Linear

MapName = Literal["qkv", "out", "gate_up", "down"]
MAPS: tuple[MapName, ...] = ("qkv", "out", "gate_up", "down")


@dataclass(frozen=True, slots=True)
class LowRank:
    """What is added to one map's outputs: states times `down_IN` times `up_NO`, both float32."""

    down_IN: Tensor  # shapes are suffixes
    up_NO: Tensor

    def add_to(self, outputs_TO: Tensor, states_TI: Tensor) -> Tensor:
        """Many tokens in one product, in their own type."""
        down_IN, up_NO = self.down_IN.to(states_TI.dtype), self.up_NO.to(states_TI.dtype)
        return torch.addmm(outputs_TO, states_TI @ down_IN, up_NO)

    def add_to_one(self, outputs_1O: Tensor, states_1I: Tensor) -> Tensor:
        return torch.addmm(outputs_1O.float(), states_1I.float() @ self.down_IN, self.up_NO)


@dataclass(frozen=True, eq=False)
class Adapter:
    """The low-rank terms of a whole model, by layer. Two are equal only if they are one."""

    layers: Sequence[Mapping[MapName, LowRank]]

    def on(self, layer: Layer, index: int) -> Layer:
        """The layer with this adapter for all its tokens."""
        return _changed(layer, {name: Adapted(getattr(layer, name), low) for name, low in self.of(index)})

    def of(self, index: int) -> list[tuple[MapName, LowRank]]:
        return list(self.layers[index].items())

    def num_bytes(self) -> int:
        return sum(low.down_IN.nbytes + low.up_NO.nbytes for maps in self.layers for low in maps.values())


def for_rows(layer: Layer, index: int, adapters_R: Sequence[Adapter | None]) -> Layer:
    """The layer with an adapter, or none, for each row."""
    if not any(adapters_R):
        return layer
    lows_R = [None if adapter is None else adapter.layers[index] for adapter in adapters_R]
    changed: dict[MapName, Linear] = {}
    for name in MAPS:
        own_R = [None if lows is None else lows.get(name) for lows in lows_R]
        if any(own_R):
            changed[name] = AdaptedRows(getattr(layer, name), own_R)
    return _changed(layer, changed)


@dataclass(frozen=True, slots=True)
class Adapted:
    """A map with the same low-rank term for all tokens."""

    linear: Linear
    low: LowRank

    def __call__(self, states_TI: Tensor) -> Tensor:
        num_tokens = states_TI.shape[0]
        if num_tokens <= MAX_FEW:
            return AdaptedRows(self.linear, [self.low] * num_tokens)(states_TI)
        return self.low.add_to(self.linear(states_TI), states_TI)


@dataclass(frozen=True, slots=True)
class AdaptedRows:
    """A map with a low-rank term, or none, of each row's own."""

    linear: Linear
    lows_R: Sequence[LowRank | None]

    def __call__(self, states_RI: Tensor) -> Tensor:
        outputs_RO = self.linear(states_RI)
        for row, low in enumerate(self.lows_R):
            if low is not None:
                one = slice(row, row + 1)
                outputs_RO[one] = low.add_to_one(outputs_RO[one], states_RI[one])
        return outputs_RO


def _changed(layer: Layer, maps: Mapping[MapName, Linear]) -> Layer:
    return replace(
        layer,
        qkv=maps.get("qkv", layer.qkv),
        out=maps.get("out", layer.out),
        gate_up=maps.get("gate_up", layer.gate_up),
        down=maps.get("down", layer.down),
    )
