"""What an instruction decoder is made for and how large it is: the JSON beside its weights.

config = DecoderConfig(hidden_size=576, taps=(10, 20, 30), rank=192, heads=6, mlp_size=512, ...)
config.num_parameters
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self, get_args

from pydantic import Field, model_validator

from dialog.values import SegmentKind, Value

FORMAT = 1
KINDS: tuple[SegmentKind, ...] = get_args(SegmentKind)
"""Kinds of prompt segments, in the order of their rows in the bias table."""


def kind_rows(kinds: Iterable[str]) -> list[int]:
    """The row of each kind in the bias table."""
    known: tuple[str, ...] = KINDS
    return [known.index(kind) for kind in kinds]


class DecoderConfig(Value):
    """Sizes, and the model and template a decoder belongs to.

    Attributes:
        hidden_size: of the language model.
        taps: layers whose output is read, counted from 1; the last is the model's final norm.
        rank: width r of queries, keys and values; a multiple of `heads`.
        mlp_size: width of the gated residual.
        kinds: segment kinds with a bias of their own.
        model: fingerprint of the language model.
        template: fingerprint of the chat template.
    """

    format: int = FORMAT
    hidden_size: int = Field(ge=1)
    taps: tuple[int, ...] = Field(min_length=1)
    rank: int = Field(ge=1)
    heads: int = Field(ge=1)
    mlp_size: int = Field(ge=1)
    kinds: tuple[str, ...] = KINDS
    dropout: float = Field(default=0.0, ge=0, lt=1)
    model: str = ""
    template: str = ""

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if self.rank % self.heads:
            raise ValueError(f"rank {self.rank} is not a multiple of heads {self.heads}")
        if list(self.taps) != sorted(set(self.taps)) or self.taps[0] < 1:
            raise ValueError(f"taps {self.taps} must be rising layer numbers, from 1")
        return self

    @property
    def head_size(self) -> int:
        return self.rank // self.heads


def default_config(*, hidden_size: int, num_layers: int, model: str, template: str) -> DecoderConfig:
    """Taps at a third, two thirds and the end; a rank that grows with the model, about one percent of it."""
    rank, heads = (192, 6) if hidden_size < 896 else (256, 8) if hidden_size < 2048 else (512, 16)
    taps = tuple(sorted({max(1, num_layers // 3), max(1, 2 * num_layers // 3), num_layers}))
    return DecoderConfig(
        hidden_size=hidden_size,
        taps=taps,
        rank=rank,
        heads=heads,
        mlp_size=512 if rank == 192 else 2 * rank,
        model=model,
        template=template,
    )
