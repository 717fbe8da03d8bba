"""Rotary position embeddings as unit complex numbers, one turn of each pair of a head's dimensions.

Shapes: T positions, H heads, D dimensions of a head.

    table = rotations(Rope(theta=10_000.0), head_dim=64, positions=2048)
    turned_THD = rotate(states_THD, table[:T])

A head's dimensions must lie pairwise (0, D/2, 1, D/2+1, ...), not in halves as
the published weights have them: `paired` reorders the rows of a projection so.
Attention does not notice, as queries and keys are reordered alike.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor

from dialog.values import Value


class Unsupported(Exception):
    """The lean forward does not know this; the message says what, and transformers takes over."""


class Rope(Value):
    """How fast each pair turns. `kind` is transformers' `rope_type`; the others of its kinds are refused."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    theta: float
    kind: Literal["default", "linear", "llama3"] = "default"
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_max_position_embeddings: int = 8192


_ROPE = TypeAdapter(Rope)


def read_rope(parameters: dict[str, Any], *, theta: float) -> Rope:
    """A `rope_parameters` or `rope_scaling` of a `config.json`.

    Args:
        theta: where the parameters name none.

    Raises:
        Unsupported: another kind of scaling, or one that turns only a part of the head.
    """
    if parameters.get("partial_rotary_factor", 1.0) != 1.0:
        raise Unsupported(f"partial_rotary_factor = {parameters['partial_rotary_factor']!r}")
    kind = parameters.get("rope_type", parameters.get("type", "default"))
    own = {key: value for key, value in parameters.items() if key not in {"type", "rope_type", "rope_theta"}}
    try:
        return _ROPE.validate_python({**own, "kind": kind, "theta": parameters.get("rope_theta", theta)})
    except ValidationError as error:
        raise Unsupported(f"rope_type = {kind!r} with {sorted(own)}") from error


def rotations(rope: Rope, *, head_dim: int, positions: int, device: torch.device | None = None) -> Tensor:
    """Complex (positions, 1, D/2): position p turns pair j by p times its frequency."""
    frequencies_D = _frequencies(rope, head_dim)
    angles_TD = torch.outer(torch.arange(positions, dtype=torch.float32), frequencies_D)
    return torch.polar(torch.ones_like(angles_TD), angles_TD)[:, None].to(device)


def rotate(states_THD: Tensor, table_T1D: Tensor) -> Tensor:
    """The states turned, in float32 (one complex product is fewer operations than two real ones)."""
    pairs = torch.view_as_complex(states_THD.float().reshape(*states_THD.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * table_T1D).flatten(-2)


def paired(rows: Tensor, *, head_dim: int) -> Tensor:
    """Rows of whole heads, from halves to pairs: (H*D, ...) to the same shape."""
    halves = rows.view(-1, 2, head_dim // 2, *rows.shape[1:])
    return halves.transpose(1, 2).reshape(rows.shape)


def _frequencies(rope: Rope, head_dim: int) -> Tensor:
    plain_D = 1.0 / rope.theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    match rope.kind:
        case "default":
            return plain_D
        case "linear":
            return plain_D / rope.factor
        case "llama3":
            return _llama3(plain_D, rope)


def _llama3(plain_D: Tensor, rope: Rope) -> Tensor:
    """Slow pairs are slowed by the factor, quick ones left, those between blended.

    Source: Llama 3.1's release, as transformers' `rope_type = "llama3"` has it.
    """
    turns_D = rope.original_max_position_embeddings * plain_D / (2 * math.pi)
    share_D = (turns_D - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor)
    share_D = share_D.clamp(0, 1)
    return share_D * plain_D + (1 - share_D) * plain_D / rope.factor
