"""One transformer layer: norm, attention, norm, feed-forward.

Shapes: T new tokens, S tokens attended to, H query heads, K key-value heads,
G = H / K query heads that share one, D dimensions of a head, E hidden.

    hidden_TE = layer(hidden_TE, keys_KSD, values_KSD, start=kv.length, table_T1D=table[start:start + T])

A few tokens (`linear.MAX_FEW`) are attended to one by one, so that each comes
out as if it had been alone: that is what makes guessed tokens exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from dialog.engine.lean.architecture import Activation, Architecture
from dialog.engine.lean.causal import attend_causally, is_quick
from dialog.engine.lean.linear import MAX_FEW, Linear
from dialog.engine.lean.rope import rotate

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu,
    "gelu_pytorch_tanh": lambda states: functional.gelu(states, approximate="tanh"),
}

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Queries (T, H, D), new keys and values (T, K, D) -> (T, H*D); the new ones are kept for later tokens."""


@dataclass(frozen=True, slots=True)
class Norm:
    """Root-mean-square norm over E."""

    weight_E: Tensor
    twice_E: Tensor
    eps: float

    def __call__(self, states_TE: Tensor) -> Tensor:
        if states_TE.shape[0] <= MAX_FEW:
            return self.of_each(states_TE)
        return functional.rms_norm(states_TE, self.weight_E.shape, self.weight_E, self.eps)

    def of_each(self, states_TE: Tensor) -> Tensor:
        """As for a token alone, however many there are.

        x and -x together have mean 0, so the layer norm of both is the norm of x:
        on a CPU one kernel, where torch's own `rms_norm` is six.
        """
        size = self.weight_E.shape[0]
        if states_TE.device.type != "cpu":
            return functional.rms_norm(states_TE, (size,), self.weight_E, self.eps)
        both = torch.cat((states_TE, -states_TE), -1)
        normed = functional.layer_norm(both, (2 * size,), self.twice_E, None, self.eps)
        return normed[:, :size].contiguous()


def make_norm(weight_E: Tensor, eps: float) -> Norm:
    return Norm(weight_E, torch.cat((weight_E, weight_E)), eps)


@dataclass(frozen=True, slots=True)
class Layer:
    """The layer's weights and habits. `window` is how far back it looks, None: to the beginning."""

    architecture: Architecture
    qkv: Linear
    out: Linear
    gate_up: Linear
    down: Linear
    attention_norm: Linear
    feed_norm: Linear
    attention_out_norm: Linear | None
    feed_out_norm: Linear | None
    qk_norm_HD: Tensor | None
    window: int | None

    def __call__(
        self, hidden_TE: Tensor, keys_KSD: Tensor, values_KSD: Tensor, *, start: int, table_T1D: Tensor
    ) -> Tensor:
        """The hidden states after this layer; keys and values from `start` on are written."""

        def attend(queries_THD: Tensor, new_keys_TKD: Tensor, new_values_TKD: Tensor) -> Tensor:
            end = start + queries_THD.shape[0]
            keys_KSD[:, start:end] = new_keys_TKD.transpose(0, 1)
            values_KSD[:, start:end] = new_values_TKD.transpose(0, 1)
            return self._attend(queries_THD, keys_KSD, values_KSD, start=start)

        return self.around(attend, hidden_TE, table_T1D=table_T1D)

    def around(self, attend: Attend, hidden_TE: Tensor, *, table_T1D: Tensor) -> Tensor:
        """The layer, whatever it is that its tokens look back on."""
        states_TE = self.out(attend(*self._project(self.attention_norm(hidden_TE), table_T1D)))
        if self.attention_out_norm is not None:
            states_TE = self.attention_out_norm(states_TE)
        hidden_TE = hidden_TE + states_TE
        states_TE = self._feed(self.feed_norm(hidden_TE))
        if self.feed_out_norm is not None:
            states_TE = self.feed_out_norm(states_TE)
        return hidden_TE + states_TE

    def _feed(self, states_TE: Tensor) -> Tensor:
        both = self.gate_up(states_TE)
        size = self.architecture.intermediate_size
        activate = ACTIVATIONS[self.architecture.activation]
        return self.down(activate(both[:, :size]) * both[:, size:])

    def _project(self, states_TE: Tensor, table_T1D: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (T, H, D), keys and values (T, K, D); the keys in float32."""
        sizes = self.architecture
        num_heads = sizes.num_heads
        num_turned = num_heads + sizes.num_kv_heads
        states = self.qkv(states_TE).view(-1, num_turned + sizes.num_kv_heads, sizes.head_dim)
        turned = states[:, :num_turned]
        if self.qk_norm_HD is not None:
            turned = functional.rms_norm(turned, (sizes.head_dim,), None, sizes.norm_eps) * self.qk_norm_HD
        turned = rotate(turned, table_T1D)
        return turned[:, :num_heads].to(states.dtype), turned[:, num_heads:], states[:, num_turned:]

    def _attend(self, queries_THD: Tensor, keys_KSD: Tensor, values_KSD: Tensor, *, start: int) -> Tensor:
        num_tokens = queries_THD.shape[0]
        if num_tokens > MAX_FEW:
            return self._attend_many(queries_THD, keys_KSD, values_KSD, start=start)
        rows = []
        for end, queries_HD in enumerate(queries_THD, start=start + 1):
            seen = slice(self.begin(end), end)
            rows.append(self.attend_one(queries_HD, keys_KSD[None, :, seen], values_KSD[None, :, seen]))
        return rows[0] if num_tokens == 1 else torch.cat(rows)

    def begin(self, end: int) -> int:
        """The first position that the token at `end` - 1 looks back on."""
        return 0 if self.window is None else max(0, end - self.window)

    def attend_one(self, queries_HD: Tensor, keys_1KSD: Tensor, values_1KSD: Tensor) -> Tensor:
        """(1, H*D). The query heads that share keys are rows of one product: nothing is repeated."""
        sizes = self.architecture
        grouped = queries_HD.view(1, sizes.num_kv_heads, -1, sizes.head_dim)
        if sizes.attention_softcap is not None:
            return self._capped(grouped, keys_1KSD, values_1KSD, None).view(1, -1)
        mixed = functional.scaled_dot_product_attention(
            grouped, keys_1KSD, values_1KSD, scale=sizes.attention_scale
        )
        return mixed.reshape(1, -1)

    def _attend_many(
        self, queries_THD: Tensor, keys_KSD: Tensor, values_KSD: Tensor, *, start: int
    ) -> Tensor:
        """(T, H*D), each token looking back at most `window`."""
        sizes = self.architecture
        num_tokens = queries_THD.shape[0]
        end = start + num_tokens
        begin = 0 if self.window is None else max(0, start - self.window + 1)
        queries = queries_THD.transpose(0, 1)[None]
        keys, values = keys_KSD[None, :, begin:end], values_KSD[None, :, begin:end]
        sees_all = self.window is None or self.window >= end
        if sees_all and sizes.attention_softcap is None and is_quick(queries_THD):
            return attend_causally(queries_THD, keys_KSD[:, :end], values_KSD[:, :end], sizes.attention_scale)
        is_plain = start == 0 and sees_all
        if is_plain and sizes.attention_softcap is None:
            mixed = functional.scaled_dot_product_attention(
                queries, keys, values, is_causal=True, scale=sizes.attention_scale, enable_gqa=True
            )
            return mixed[0].transpose(0, 1).reshape(num_tokens, -1)
        visible_TS = torch.ones(num_tokens, end - begin, dtype=torch.bool, device=queries.device)
        visible_TS = visible_TS.tril(start - begin)
        if self.window is not None:
            visible_TS = visible_TS.triu(start - begin - self.window + 1)
        if sizes.attention_softcap is not None:
            grouped = queries[0].reshape(sizes.num_kv_heads, -1, num_tokens, sizes.head_dim)
            mixed = self._capped(grouped, keys[0][:, None], values[0][:, None], visible_TS).flatten(0, 1)
        else:
            mixed = functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=visible_TS, scale=sizes.attention_scale, enable_gqa=True
            )[0]
        return mixed.transpose(0, 1).reshape(num_tokens, -1)

    def _capped(self, queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor | None) -> Tensor:
        """Attention whose scores are bent to stay within the cap, which no fused kernel knows."""
        cap = self.architecture.attention_softcap
        assert cap is not None
        scores = queries @ keys.transpose(-1, -2) * self.architecture.attention_scale
        scores = torch.tanh(scores / cap) * cap
        if visible is not None:
            scores = scores.masked_fill(~visible, -torch.inf)
        return scores.float().softmax(-1).to(values.dtype) @ values
