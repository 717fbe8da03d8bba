"""Tokens of several sequences in one pass come out as each would alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dialog.engine.forward import TogetherForward
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.kv import KeyValues
from dialog.engine.lean.pack import Packing
from dialog.testing import tiny_model
from tests.engine.making import lean_forward
from tests.engine.test_lean_parity import IDS, MODELS, transformer

LENGTHS = (20, 1, 37, 59, 5, 18)
"""Behind and beyond the windows of 16."""
PIECES: tuple[list[int], ...] = ([3], [9, 8, 7, 6], [5], [3], [4, 4], [11])


def read(forward: LeanForward, lengths: tuple[int, ...] = LENGTHS) -> list[KeyValues]:
    caches = [forward.new_cache() for _ in lengths]
    for kv, length in zip(caches, lengths, strict=True):
        forward.next_logits(IDS[:length], kv)
    return caches


def alone(forward: LeanForward) -> torch.Tensor:
    rows = []
    for kv, piece in zip(read(forward), PIECES, strict=True):
        rows += [forward.next_logits([token], kv) for token in piece]
    return torch.cat(rows)


def test_the_lean_forward_serves_several_at_once_and_that_of_transformers_does_not() -> None:
    plain = tiny_model()
    assert isinstance(lean_forward(plain.forward.model), TogetherForward)
    assert not isinstance(plain.forward, TogetherForward)


@pytest.mark.parametrize("name", MODELS)
def test_logits_in_company_are_those_of_one_alone_but_for_rounding(name: str) -> None:
    forward = lean_forward(transformer(name))
    caches = read(forward)
    together = forward.logits_together(list(zip(PIECES, caches, strict=True)))
    assert torch.allclose(together, alone(forward), atol=1e-4)
    assert [kv.length for kv in caches] == [21, 5, 38, 60, 7, 19]


@pytest.mark.parametrize("packing", ["int8", "int4"])
@pytest.mark.parametrize("name", MODELS)
def test_packed_weights_give_the_very_bits(name: str, packing: Packing) -> None:
    forward = lean_forward(transformer(name), packing)
    assert forward.exact_tokens > 1, "this processor's kernels sum a row differently in company"
    together = forward.logits_together(list(zip(PIECES, read(forward), strict=True)))
    assert torch.equal(together, alone(forward))


@pytest.mark.parametrize("name", ["llama, grouped", "gemma2"])
def test_what_is_read_in_company_is_gone_on_from_alone(name: str) -> None:
    forward = lean_forward(transformer(name))
    one, other = read(forward, (20, 30))
    forward.logits_together([(IDS[20:23], one), (IDS[30:31], other)])
    expected = forward.next_logits(IDS[:40], forward.new_cache())
    assert torch.allclose(forward.next_logits(IDS[23:40], one), expected, atol=1e-4)
    assert torch.allclose(forward.next_logits(IDS[31:40], other), expected, atol=1e-4)


def fail(*_: Any) -> torch.Tensor:
    raise MemoryError


def test_a_pass_that_breaks_off_has_read_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = lean_forward(transformer("qwen3"))
    caches = read(forward, (20, 30))
    with monkeypatch.context() as patch:
        patch.setattr(forward, "_each_head", fail)
        with pytest.raises(MemoryError):
            forward.logits_together([([3], kv) for kv in caches])
    assert [kv.length for kv in caches] == [20, 30]
    expected = forward.next_logits(IDS[:21], forward.new_cache())
    assert torch.allclose(forward.next_logits(IDS[20:21], caches[0]), expected, atol=1e-4)


@pytest.mark.parametrize("packing", [None, "int4"])
def test_a_prompt_read_layer_by_layer_gives_the_very_bits(packing: Packing | None) -> None:
    forward = lean_forward(transformer("gemma3"), packing)
    kv = forward.new_cache()
    reading = forward.reading(IDS, kv)
    for _ in range(forward.num_layers):
        next(reading)
        assert kv.length == 0
    with pytest.raises(StopIteration) as done:
        next(reading)
    assert torch.equal(done.value.value, forward.next_logits(IDS, forward.new_cache()))
    assert kv.length == len(IDS)


def test_a_prompt_left_between_layers_is_not_read() -> None:
    forward = lean_forward(transformer("llama, grouped"))
    kv = forward.new_cache()
    reading = forward.reading(IDS, kv)
    next(reading)
    reading.close()
    assert kv.length == 0
    assert torch.equal(forward.next_logits(IDS[:9], kv), forward.next_logits(IDS[:9], forward.new_cache()))
