"""Any causal language model of transformers: the road for what the lean engine does not know.

Shapes: B sequences (1 here), T new tokens, V vocabulary, K key-value heads (taps, where hidden states
are read), D dimensions of a head, E hidden.

    forward = PlainForward(AutoModelForCausalLM.from_pretrained(directory))
    logits_1V = forward.next_logits(ids, forward.new_cache())
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer

_LEAST_CAPACITY = 256


class GrowingLayer(DynamicLayer):  # type: ignore[misc]  # transformers is untyped here
    """A layer's keys and values in a buffer that doubles; `DynamicLayer` copies all of it for every token."""

    def __init__(self) -> None:
        super().__init__()
        self._buffers: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Append (B, K, T, D) keys and values; return all so far, as views of the buffer."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before = self.get_seq_length()
        after = before + key_states.shape[-2]
        keys, values = self._room_for(after, key_states, value_states)
        keys[:, :, before:after] = key_states
        values[:, :, before:after] = value_states
        self.keys, self.values = keys[:, :, :after], values[:, :, :after]
        return self.keys, self.values

    def num_bytes(self) -> int:
        return sum(buffer.nbytes for buffer in self._buffers) if self._buffers else 0

    def _room_for(self, length: int, key_states: Tensor, value_states: Tensor) -> tuple[Tensor, Tensor]:
        if self._buffers is not None and self._buffers[0].shape[-2] >= length:
            return self._buffers
        capacity = _LEAST_CAPACITY
        while capacity < length:
            capacity *= 2
        before = self.get_seq_length()
        grown: list[Tensor] = []
        for old, new in ((self.keys, key_states), (self.values, value_states)):
            buffer = new.new_empty((*new.shape[:2], capacity, new.shape[-1]))
            if before:
                buffer[:, :, :before] = old
            grown.append(buffer)
        self._buffers = (grown[0], grown[1])
        return self._buffers


class PlainCache:
    """A `DynamicCache` with `GrowingLayer` wherever attention sees the whole past."""

    def __init__(self, config: PretrainedConfig) -> None:
        self._config = config
        self.past = DynamicCache(config=config)
        self.past.layers = [
            GrowingLayer() if type(layer) is DynamicLayer else layer for layer in self.past.layers
        ]
        self.length = 0

    def crop(self, length: int) -> bool:
        """Forget all but the first `length` tokens; False, and unchanged, where the layers cannot go back.

        A layer with a sliding window has thrown away what it would need.
        """
        surplus = self.length - length
        if surplus == 0:
            return True
        if length == 0 or not all(type(layer) is GrowingLayer for layer in self.past.layers):
            return False
        self.past.crop(-surplus)  # counts from the end; positive lengths are refused since transformers 5
        self.length = length
        return True

    def copy(self, length: int) -> PlainCache | None:
        """The first `length` tokens by themselves; None where a layer has thrown away a part of them."""
        if not all(type(layer) is GrowingLayer for layer in self.past.layers):
            return None
        twin = PlainCache(self._config)
        for theirs, ours in zip(twin.past.layers, self.past.layers, strict=True):
            theirs.update(ours.keys[:, :, :length], ours.values[:, :, :length])
        twin.length = length
        return twin

    def num_bytes(self) -> int:
        total = 0
        for layer in self.past.layers:
            if isinstance(layer, GrowingLayer):
                total += layer.num_bytes()
            else:
                held = (getattr(layer, name, None) for name in ("keys", "values"))
                total += sum(tensor.nbytes for tensor in held if isinstance(tensor, torch.Tensor))
        return total


class PlainForward:
    """A transformers causal language model as two functions of ids and a cache."""

    exact_tokens = 1
    """Its products round differently for several tokens than for one."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model.eval()
        self.device = model.device

    def new_cache(self) -> PlainCache:
        return PlainCache(self.model.config)

    @torch.inference_mode()
    def next_logits(self, ids: Sequence[int], cache: PlainCache) -> Tensor:
        """Logits (1, V), float32, of the token after `ids`; `cache` then holds them too.

        The head, a quarter of the work at this size, is applied to the last position only.
        """
        return self._run(ids, cache, keep=1)

    @torch.inference_mode()
    def all_logits(self, ids: Sequence[int], cache: PlainCache) -> Tensor:
        """Logits (T, V), float32, of the token after each of `ids`."""
        return self._run(ids, cache, keep=0)

    @torch.inference_mode()
    def tapped(self, ids: Sequence[int], cache: PlainCache, taps: Sequence[int]) -> Tensor:
        """States (T, K, E) after the layers `taps`, counted from 1; after the last one, normed."""
        ids_BT = torch.tensor([list(ids)], dtype=torch.long, device=self.device)
        states = self.model(
            input_ids=ids_BT,
            past_key_values=cache.past,
            use_cache=True,
            logits_to_keep=1,
            output_hidden_states=True,
        ).hidden_states
        cache.length += len(ids)
        return torch.stack([states[tap][0] for tap in taps], dim=1)

    @torch.inference_mode()
    def head_logits(self, hidden_TE: Tensor) -> Tensor:
        """Logits (T, V), float32, of normed states."""
        logits_TV = self.model.get_output_embeddings()(hidden_TE)
        assert isinstance(logits_TV, Tensor)
        return logits_TV.float()

    def head_rows(self, ids: Sequence[int]) -> Tensor:
        """Rows (T, E) of the head."""
        rows_TE = self.model.get_output_embeddings().weight[torch.tensor(list(ids), device=self.device)]
        assert isinstance(rows_TE, Tensor)
        return rows_TE.detach()

    def _run(self, ids: Sequence[int], cache: PlainCache, *, keep: int) -> Tensor:
        ids_BT = torch.tensor([list(ids)], dtype=torch.long, device=self.device)
        output = self.model(input_ids=ids_BT, past_key_values=cache.past, use_cache=True, logits_to_keep=keep)
        cache.length += len(ids)
        logits_BTV = output.logits
        assert isinstance(logits_BTV, Tensor)
        return logits_BTV[0].float()
