"""A forward pass with an instruction decoder on top, for the conversations that have one.

    forward = DecodedForward(lean)
    cache = forward.decoded_cache(decoder, Marks())
    cache.marks.set(prompt)
    logits_1V = forward.next_logits(prompt.ids, cache)

The cache holds the model's keys and values and the decoder's memory, which grow
and are cropped together. A cache without a decoder is read as if there were
none anywhere. Reading in pieces gives what reading at once gives, and up to
`exact_tokens` at once are decided one by one, so guesses stay exact.

Legend: T tokens, K taps, E hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from dialog.decoder.attribution import segment_shares, token_weights
from dialog.decoder.config import kind_rows
from dialog.decoder.growing import GrowingMemory
from dialog.decoder.memory import Memory
from dialog.decoder.module import InstructionDecoder, Look
from dialog.engine.forward import Cache, Forward
from dialog.values import Prompt, Segment

_AGENT = kind_rows(["agent"])[0]


class TappedForward(Forward[Any], Protocol):
    """A forward pass that lets its hidden states be read."""

    def tapped(self, ids: Sequence[int], cache: Any, taps: Sequence[int]) -> Tensor:
        """States (T, K, E) after the layers `taps`, counted from 1; after the last one, normed."""
        ...

    def head_logits(self, hidden_TE: Tensor) -> Tensor:
        """Logits (T, V), float32, of normed states."""
        ...

    def head_rows(self, ids: Sequence[int]) -> Tensor:
        """Rows (T, E) of the head: what a state is multiplied with for each of `ids`."""
        ...


class Marks:
    """What each token of a prompt is, and how strongly it is to count; what follows is the agent's."""

    def __init__(self) -> None:
        self._kinds_T = torch.zeros(0, dtype=torch.long)
        self._weights_T: Tensor | None = None

    def set(self, prompt: Prompt) -> None:
        kinds = ["template"] * len(prompt.ids)
        strengths = dict(prompt.weights)
        weights = [1.0] * len(prompt.ids)
        for segment in prompt.segments:
            span, length = slice(segment.start, segment.end), segment.end - segment.start
            kinds[span] = [segment.kind] * length
            weights[span] = [strengths.get(segment.ref, 1.0)] * length
        self._kinds_T = torch.tensor(kind_rows(kinds), dtype=torch.long)
        self._weights_T = torch.tensor(weights) if strengths else None

    def kinds(self, length: int, device: torch.device) -> Tensor:
        """Of the first `length` tokens."""
        missing = max(0, length - len(self._kinds_T))
        padded_T = torch.nn.functional.pad(self._kinds_T[:length], (0, missing), value=_AGENT)
        return padded_T.to(device)

    def weights(self, length: int, device: torch.device) -> Tensor | None:
        """Of the first `length` tokens; None where all are 1."""
        if self._weights_T is None:
            return None
        missing = max(0, length - len(self._weights_T))
        padded_T = torch.nn.functional.pad(self._weights_T[:length], (0, missing), value=1.0)
        return padded_T.to(device)


@dataclass
class DecodedCache:
    """What was read of one sequence, by the model and by the decoder if there is one."""

    base: Cache
    decoder: InstructionDecoder | None
    marks: Marks
    memory: GrowingMemory

    @property
    def length(self) -> int:
        return self.base.length

    def crop(self, length: int) -> bool:
        if not self.base.crop(length):
            return False
        self.memory.crop(length)
        return True

    def copy(self, length: int) -> DecodedCache | None:
        """The first `length` tokens, to go on from differently; what they are is to be set anew."""
        base = self.base.copy(length)
        return None if base is None else DecodedCache(base, self.decoder, Marks(), self.memory.copy(length))

    def num_bytes(self) -> int:
        return self.base.num_bytes() + self.memory.num_bytes()


class DecodedForward:
    """Offers what `dialog.engine.forward.Forward` asks for."""

    def __init__(self, base: TappedForward) -> None:
        self.base = base
        self.device = base.device
        self.exact_tokens = base.exact_tokens

    def new_cache(self) -> DecodedCache:
        """One without a decoder."""
        return self.decoded_cache(None, Marks())

    def decoded_cache(
        self, decoder: InstructionDecoder | None, marks: Marks, *, base: Cache | None = None
    ) -> DecodedCache:
        """One to be read with a decoder, around an empty `base`: the model's own if it is None."""
        return DecodedCache(base or self.base.new_cache(), decoder, marks, GrowingMemory())

    @torch.inference_mode()
    def next_logits(self, ids: Sequence[int], cache: DecodedCache) -> Tensor:
        """Logits (1, V), float32, of the token after `ids`; `cache` then holds them too."""
        if cache.decoder is None:
            return self.base.next_logits(ids, cache.base)
        taps_TKE = self.read(ids, cache)
        return self._logits(taps_TKE[-1:], cache, cache.decoder)

    @torch.inference_mode()
    def all_logits(self, ids: Sequence[int], cache: DecodedCache) -> Tensor:
        """Logits (T, V), float32, of the token after each of `ids`."""
        if cache.decoder is None:
            return self.base.all_logits(ids, cache.base)
        if len(ids) > self.exact_tokens:
            return self._logits(self.read(ids, cache), cache, cache.decoder)
        taps_TKE = self.base.tapped(ids, cache.base, cache.decoder.config.taps)
        rows = []
        for at in range(len(ids)):
            self._remember(taps_TKE[at : at + 1], ids[at : at + 1], cache, cache.decoder)
            rows.append(self._logits(taps_TKE[at : at + 1], cache, cache.decoder))
        return torch.cat(rows)

    @torch.inference_mode()
    def read(self, ids: Sequence[int], cache: DecodedCache) -> Tensor:
        """Taps (T, K, E) of `ids`, which model and decoder then remember."""
        assert cache.decoder is not None
        taps_TKE = self.base.tapped(ids, cache.base, cache.decoder.config.taps)
        self._remember(taps_TKE, ids, cache, cache.decoder)
        return taps_TKE

    @torch.inference_mode()
    def shares(
        self, taps_QKE: Tensor, targets: Sequence[int], cache: DecodedCache, segments: Sequence[Segment]
    ) -> list[float]:
        """What each segment adds to the last tokens read having been followed by `targets`.

        Exact but for the weighting, which is by how far the decoder moved each token
        (`decoder.attribution`).

        Args:
            taps_QKE: of the last Q tokens in the cache.
        """
        assert cache.decoder is not None
        look, memory, changed_QE = self._changed(taps_QKE, cache, cache.decoder)
        logits_QV = cache.decoder.with_copies(self.base.head_logits(changed_QE)[None], look, memory)[0]
        weights_Q = token_weights(logits_QV, self.base.head_logits(taps_QKE[:, -1]))
        contributions_1QT = cache.decoder.spoken_for(
            look,
            memory,
            torch.tensor([list(targets)], device=self.device),
            self.base.head_rows(targets)[None],
        )
        return segment_shares(contributions_1QT[0], weights_Q, segments)

    def _remember(
        self, taps_TKE: Tensor, ids: Sequence[int], cache: DecodedCache, decoder: InstructionDecoder
    ) -> None:
        ids_1T = torch.tensor([list(ids)], dtype=torch.long, device=self.device)
        after = cache.memory.last()
        cache.memory.append(decoder.read_more(taps_TKE[None], ids_1T, torch.zeros_like(ids_1T), after=after))

    def _changed(
        self, taps_QKE: Tensor, cache: DecodedCache, decoder: InstructionDecoder
    ) -> tuple[Look, Memory, Tensor]:
        """What the last Q tokens find, in what, and the states (Q, E) it makes of theirs."""
        length = cache.memory.length
        memory = cache.memory.view(cache.marks.kinds(length, self.device))
        positions_1Q = torch.arange(length - len(taps_QKE), length, device=self.device)[None]
        weights_T = cache.marks.weights(length, self.device)
        look = decoder.look(
            taps_QKE[None],
            positions_1Q,
            memory,
            weights_BT=None if weights_T is None else weights_T[None],
        )
        hidden_QE = taps_QKE[:, -1]
        return look, memory, decoder.changed(hidden_QE[None], look)[0].to(hidden_QE.dtype)

    def _logits(self, taps_QKE: Tensor, cache: DecodedCache, decoder: InstructionDecoder) -> Tensor:
        """After each of the last Q tokens."""
        look, memory, changed_QE = self._changed(taps_QKE, cache, decoder)
        return decoder.with_copies(self.base.head_logits(changed_QE)[None], look, memory)[0]
