"""Causal attention of many new tokens over a long past, in bfloat16 on a CPU.

Shapes: T new tokens, S tokens attended to (the new ones last), H query heads,
K key-value heads, G = H / K query heads that share one, D dimensions of a head.

    mixed = attend_causally(queries_THD, keys_KSD, values_KSD, scale=64**-0.5)     # (T, H*D)

Two products and a softmax, a block of tokens at a time, take about half the
time of torch's `scaled_dot_product_attention` there: its kernel multiplies
small tiles, and a mask costs it more. Scores are rounded to bfloat16 between
the steps, as transformers' "eager" attention does.
"""

from __future__ import annotations

import torch
from torch import Tensor

_BLOCK_TOKENS = 64
_BLOCK_SCORES = 1 << 22
"""Scores of a block, at most: 8 MB. Larger ones leave the caches and cost page faults."""


def is_quick(queries_THD: Tensor) -> bool:
    """True where this was measured to be quicker than torch's own."""
    return queries_THD.dtype == torch.bfloat16 and queries_THD.device.type == "cpu"


def attend_causally(queries_THD: Tensor, keys_KSD: Tensor, values_KSD: Tensor, scale: float) -> Tensor:
    """What each new token sees of everything up to itself: (T, H*D)."""
    num_tokens, num_heads, head_dim = queries_THD.shape
    num_kv_heads, num_seen, _ = keys_KSD.shape
    group = num_heads // num_kv_heads
    # A block's rows are its tokens, G rows a token: so one product serves the heads that share keys.
    rows_KRD = (queries_THD * scale).view(num_tokens, num_kv_heads, group * head_dim).transpose(0, 1)
    rows_KRD = rows_KRD.reshape(num_kv_heads, num_tokens * group, head_dim)
    size = max(1, min(_BLOCK_TOKENS, _BLOCK_SCORES // (num_heads * num_seen)))
    future_TT = torch.full((size, size), -torch.inf, dtype=rows_KRD.dtype).triu(1)
    future_RT = future_TT.repeat_interleave(group, 0)
    mixed: list[Tensor] = []
    for first in range(0, num_tokens, size):
        length = min(size, num_tokens - first)
        end = num_seen - num_tokens + first + length
        block_KRD = rows_KRD[:, first * group : (first + length) * group]
        scores_KRS = torch.bmm(block_KRD, keys_KSD[:, :end].transpose(1, 2))
        scores_KRS[:, :, end - length :] += future_RT[: length * group, :length]
        mixed.append(torch.bmm(scores_KRS.softmax(-1), values_KSD[:, :end]))
    mixed_KRD = torch.cat(mixed, 1) if len(mixed) > 1 else mixed[0]
    return mixed_KRD.view(num_kv_heads, num_tokens, -1).transpose(0, 1).reshape(num_tokens, -1)
