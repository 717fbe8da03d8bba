"""Several conversations in one pass of the model, each with the instruction decoder it has, or none.

    forward = decoded_forward(lean)                  # for a base that can serve several at once, such a one
    forward.logits_together([([17], cache_of_one), ([4, 9], cache_of_another)])

The model and its head, nearly all of the work, are read once for all rows.
Each row then goes through its own decoder, against its own conversation's
memory, as it would alone: what the base gives to the bit stays so, whichever
decoders meet in a pass. One decoder for several rows at once would round
otherwise, and is a tenth of the work.

Legend: R tokens of whichever conversations, T of one prompt, K taps, E hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from dialog.decoder.memory import Memory
from dialog.decoder.module import InstructionDecoder, Look
from dialog.engine.decoded import DecodedCache, DecodedForward, TappedForward
from dialog.engine.forward import TogetherForward

Piece = tuple[Sequence[int], DecodedCache]


@runtime_checkable
class TappedTogetherForward(TappedForward, TogetherForward[Any], Protocol):
    """A forward pass over several sequences that lets its hidden states be read."""

    def tapped_together(self, pieces: Sequence[tuple[Sequence[int], Any]], taps: Sequence[int]) -> Tensor:
        """States (R, K, E) as `tapped` gives them, each computed as if alone; all are read or none."""
        ...

    def head_logits_of_each(self, hidden_RE: Tensor) -> Tensor:
        """Logits (R, V), float32, of normed states, each computed as if alone."""
        ...

    def reading_taps(
        self, ids: Sequence[int], cache: Any, taps: Sequence[int]
    ) -> Generator[None, None, Tensor]:
        """`tapped` with a pause after each of `num_layers` parts; left in one, nothing was read."""
        ...


def decoded_forward(base: TappedForward) -> DecodedForward:
    """Decoders on `base`; several conversations at once if it can."""
    return DecodedTogether(base) if isinstance(base, TappedTogetherForward) else DecodedForward(base)


class DecodedTogether(DecodedForward):
    """Offers what `dialog.engine.forward.TogetherForward` asks for."""

    def __init__(self, base: TappedTogetherForward) -> None:
        super().__init__(base)
        self._together = base

    @property
    def num_layers(self) -> int:
        return self._together.num_layers

    @torch.inference_mode()
    def logits_together(self, pieces: Sequence[Piece]) -> Tensor:
        """Logits (R, V), float32, after each id of every conversation, in order; all are read or none."""
        lengths = [cache.length for _, cache in pieces]
        try:
            return self._logits_together(pieces)
        except Exception:
            for (_, cache), length in zip(pieces, lengths, strict=True):
                cache.crop(length)
            raise

    @torch.inference_mode()
    def reading(self, ids: Sequence[int], cache: DecodedCache) -> Generator[None, None, Tensor]:
        """`next_logits`, with a pause after each of `num_layers`; left early, nothing was read."""
        if cache.decoder is None:
            return (yield from self._together.reading(ids, cache.base))
        taps_TKE = yield from self._together.reading_taps(ids, cache.base, cache.decoder.config.taps)
        self._remember(taps_TKE, ids, cache, cache.decoder)
        return self._logits(taps_TKE[-1:], cache, cache.decoder)

    def _logits_together(self, pieces: Sequence[Piece]) -> Tensor:
        taps = sorted({self.num_layers, *(tap for _, cache in pieces for tap in _taps(cache))})
        states_RKE = self._together.tapped_together([(ids, cache.base) for ids, cache in pieces], taps)
        hidden_RE = states_RKE[:, -1].clone()
        found: list[tuple[int, InstructionDecoder, Look, Memory]] = []
        row = 0
        for ids, cache in pieces:
            for token in ids:
                if cache.decoder is not None:
                    taps_1KE = states_RKE[row : row + 1, [taps.index(tap) for tap in _taps(cache)]]
                    self._remember(taps_1KE, [token], cache, cache.decoder)
                    look, memory, hidden_RE[row] = self._changed(taps_1KE, cache, cache.decoder)
                    found.append((row, cache.decoder, look, memory))
                row += 1
        logits_RV = self._together.head_logits_of_each(hidden_RE)
        for at, decoder, look, memory in found:
            logits_RV[at] = decoder.with_copies(logits_RV[None, at : at + 1], look, memory)[0, 0]
        return logits_RV


def _taps(cache: DecodedCache) -> tuple[int, ...]:
    return () if cache.decoder is None else cache.decoder.config.taps
