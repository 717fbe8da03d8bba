"""Attention in blocks of products gives what torch's own does, to bfloat16."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from dialog.engine.lean import causal
from dialog.engine.lean.causal import attend_causally, is_quick


def tensors(*, tokens: int, seen: int, heads: int, kv_heads: int, head_dim: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(tokens * seen)
    shapes = ((tokens, heads, head_dim), (kv_heads, seen + 9, head_dim), (kv_heads, seen + 9, head_dim))
    queries, keys, values = (torch.randn(*shape, generator=generator).bfloat16() for shape in shapes)
    return queries, keys[:, :seen], values[:, :seen]  # a view of a larger buffer, as in the engine


def reference(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float) -> torch.Tensor:
    """In float32, with a mask that hides what comes later."""
    num_tokens, num_seen = queries.shape[0], keys.shape[1]
    visible = torch.ones(num_tokens, num_seen, dtype=torch.bool).tril(num_seen - num_tokens)
    mixed = functional.scaled_dot_product_attention(
        queries.float().transpose(0, 1)[None],
        keys.float()[None],
        values.float()[None],
        attn_mask=visible,
        scale=scale,
        enable_gqa=True,
    )
    return mixed[0].transpose(0, 1).reshape(num_tokens, -1)


@pytest.mark.parametrize(("tokens", "seen"), [(5, 5), (64, 64), (65, 65), (130, 400), (8, 1000), (200, 200)])
@pytest.mark.parametrize(("heads", "kv_heads"), [(9, 3), (4, 4), (8, 1)])
def test_it_is_torchs_attention(tokens: int, seen: int, heads: int, kv_heads: int) -> None:
    queries, keys, values = tensors(tokens=tokens, seen=seen, heads=heads, kv_heads=kv_heads, head_dim=16)
    ours = attend_causally(queries, keys, values, 0.25)
    assert ours.dtype == torch.bfloat16
    assert torch.allclose(ours.float(), reference(queries, keys, values, 0.25), atol=0.03)


def test_a_token_sees_nothing_that_comes_later() -> None:
    queries, keys, values = tensors(tokens=70, seen=100, heads=4, kv_heads=2, head_dim=16)
    before = attend_causally(queries, keys, values, 0.25)
    keys[:, 60:], values[:, 60:] = 7.0, 100.0
    after = attend_causally(queries, keys, values, 0.25)
    assert torch.equal(before[:30], after[:30])
    assert not torch.equal(before[30:], after[30:])


def test_blocks_stay_small_over_a_long_past(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, keys, values = tensors(tokens=40, seen=300, heads=4, kv_heads=2, head_dim=16)
    whole = attend_causally(queries, keys, values, 0.25)
    monkeypatch.setattr(causal, "_BLOCK_SCORES", 4 * 300 * 7)
    assert torch.allclose(attend_causally(queries, keys, values, 0.25).float(), whole.float(), atol=0.03)


def test_float32_keeps_torchs_kernel() -> None:
    queries, *_ = tensors(tokens=5, seen=5, heads=4, kv_heads=2, head_dim=16)
    assert is_quick(queries)
    assert not is_quick(queries.float())
