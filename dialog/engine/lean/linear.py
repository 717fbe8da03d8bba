"""Linear maps over plain, 8-bit and 4-bit weights.

Shapes: T tokens, I inputs, O outputs, G groups of 32 inputs.

    few = Int4(**pack_int4(weight_OI), bias=None)
    linear = ByLength(few=few, many=Dense(weight_OI.bfloat16(), bias=None))

Decoding reads every weight for every token, so packed weights are quicker
there; reading a prompt is arithmetic, where bfloat16 is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

GROUP = 32
MAX_FEW = 4
"""Up to so many tokens at once go through packed weights; each then comes out as it would alone."""


class Linear(Protocol):
    """`states_TI` times the weight, plus the bias if there is one: (T, O)."""

    def __call__(self, states_TI: Tensor, /) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Dense:
    """Weights as numbers of the type the states have."""

    weight_OI: Tensor
    bias_O: Tensor | None = None

    def __call__(self, states_TI: Tensor) -> Tensor:
        return functional.linear(states_TI, self.weight_OI, self.bias_O)


@dataclass(frozen=True, slots=True)
class Int8:
    """One byte a weight, one scale an output; states in bfloat16."""

    weight_OI: Tensor
    scales_O: Tensor
    bias_O: Tensor | None = None

    def __call__(self, states_TI: Tensor) -> Tensor:
        product_TO: Tensor = torch.ops.aten._weight_int8pack_mm(states_TI, self.weight_OI, self.scales_O)
        return product_TO if self.bias_O is None else product_TO.add_(self.bias_O)


@dataclass(frozen=True, slots=True)
class Int4:
    """Half a byte a weight, a scale and a middle for every 32 inputs; states in bfloat16."""

    weight_packed: Tensor
    scales_GO2: Tensor
    bias_O: Tensor | None = None

    def __call__(self, states_TI: Tensor) -> Tensor:
        product_TO: Tensor = torch.ops.aten._weight_int4pack_mm_for_cpu(
            states_TI, self.weight_packed, GROUP, self.scales_GO2
        )
        return product_TO if self.bias_O is None else product_TO.add_(self.bias_O)


@dataclass(frozen=True, slots=True)
class ByLength:
    """Packed weights for a few tokens, plain ones for many."""

    few: Linear
    many: Linear

    def __call__(self, states_TI: Tensor) -> Tensor:
        return (self.few if states_TI.shape[0] <= MAX_FEW else self.many)(states_TI)


def quantise_int8(weight_OI: Tensor) -> tuple[Tensor, Tensor]:
    """Weights as int8 (O, I) and bfloat16 scales (O), symmetric around 0."""
    weight_OI = weight_OI.float()
    # The scale is rounded first, so that its rounding is not an error of every weight.
    scales_O = (weight_OI.abs().amax(1) / 127).clamp(min=1e-8).bfloat16()
    quantised_OI = (weight_OI / scales_O.float()[:, None]).round_().clamp_(-127, 127)
    return quantised_OI.to(torch.int8).contiguous(), scales_O


def quantise_int4(weight_OI: Tensor) -> tuple[Tensor, Tensor]:
    """Weights packed for this processor and bfloat16 (G, O, 2) scales and middles.

    The layout of the packed weights depends on the processor's vector unit.
    """
    outputs, inputs = weight_OI.shape
    groups_OGI = weight_OI.float().view(outputs, inputs // GROUP, GROUP)
    least_OG, most_OG = groups_OGI.aminmax(dim=-1)
    scales_OG = ((most_OG - least_OG) / 15).clamp(min=1e-8).bfloat16()
    middles_OG = (least_OG + 8 * scales_OG.float()).bfloat16()
    levels_OGI = (groups_OGI - middles_OG.float()[..., None]) / scales_OG.float()[..., None] + 8
    levels_OI = levels_OGI.round_().clamp_(0, 15).view(outputs, inputs).to(torch.int32)
    packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(levels_OI.contiguous(), 1)
    return packed, torch.stack([scales_OG, middles_OG], -1).transpose(0, 1).contiguous()


def int4_error(weight_OI: Tensor) -> float:
    """How far rounding to 4 bits moves a weight matrix, as a share of its norm."""
    outputs, inputs = weight_OI.shape
    groups_OGI = weight_OI.float().view(outputs, inputs // GROUP, GROUP)
    least_OG1, most_OG1 = groups_OGI.amin(-1, keepdim=True), groups_OGI.amax(-1, keepdim=True)
    steps_OG1 = ((most_OG1 - least_OG1) / 15).clamp(min=1e-8)
    rounded_OGI = ((groups_OGI - least_OG1) / steps_OG1).round() * steps_OG1 + least_OG1
    return float((rounded_OGI - groups_OGI).norm() / groups_OGI.norm())
