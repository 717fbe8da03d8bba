"""What a model's forward pass offers the loop, whoever computes it.

Shapes: T new tokens, V vocabulary.

    cache = forward.new_cache()
    logits_1V = forward.next_logits(ids, cache)

`lean.forward.LeanForward` is our own, `plain.PlainForward` that of transformers,
which reads one sequence at a time.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol, Self, TypeVar, runtime_checkable

import torch
from torch import Tensor


class Cache(Protocol):
    """What a model has read, of one sequence."""

    @property
    def length(self) -> int:
        """How many tokens."""
        ...

    def crop(self, length: int) -> bool:
        """Forget all but the first `length` tokens; False where it cannot go back, and is then unchanged."""
        ...

    def copy(self, length: int) -> Self | None:
        """The first `length` tokens by themselves, bit for bit; None where they cannot be had."""
        ...

    def num_bytes(self) -> int: ...


AnyCache = TypeVar("AnyCache", bound=Cache)


class Forward(Protocol[AnyCache]):
    """One sequence at a time; `cache` is one of its own making and holds the ids afterwards."""

    @property
    def device(self) -> torch.device: ...

    @property
    def exact_tokens(self) -> int:
        """Up to so many ids at once give bit for bit the logits that one by one would; 1 if no more."""
        ...

    def new_cache(self) -> AnyCache: ...

    def next_logits(self, ids: Sequence[int], cache: AnyCache) -> Tensor:
        """Logits (1, V), float32, of the token after `ids`."""
        ...

    def all_logits(self, ids: Sequence[int], cache: AnyCache) -> Tensor:
        """Logits (T, V), float32, of the token after each of `ids`."""
        ...


@runtime_checkable
class TogetherForward(Forward[AnyCache], Protocol[AnyCache]):
    """A forward pass that also serves several sequences at once."""

    @property
    def num_layers(self) -> int: ...

    def logits_together(self, pieces: Sequence[tuple[Sequence[int], AnyCache]]) -> Tensor:
        """Logits (R, V), float32, after each id of every sequence, in order; each id is computed as if alone.

        All are read or, where it raises, none.
        """
        ...

    def reading(self, ids: Sequence[int], cache: AnyCache) -> Generator[None, None, Tensor]:
        """`next_logits` with a pause after each of `num_layers` parts; left in one, nothing was read."""
        ...
