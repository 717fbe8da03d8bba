"""Conversations with different instruction decoders in one pass are answered as each would be alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from torch import Tensor

from dialog.decoder.module import InstructionDecoder
from dialog.engine.decoded import DecodedCache, DecodedForward, Marks
from dialog.engine.decoded_together import DecodedTogether, decoded_forward
from dialog.engine.forward import TogetherForward
from dialog.engine.lean.pack import Packing
from dialog.engine.plain import PlainForward
from dialog.testing.tiny import tiny_transformer
from dialog.values import Prompt
from tests.engine.making import ids_of
from tests.engine.test_decoded import CONFIG, answer, asked_of, base_of, decoder_of, saved, served

LAST_TAP_ONLY = CONFIG.model_copy(update={"taps": (2,)})
DECODERS = (decoder_of(1), None, decoder_of(2), decoder_of(3, config=LAST_TAP_ONLY), decoder_of(1))
PAST = (range(10, 40), range(20, 25), range(7, 60), [9], range(30, 50))
PIECES: tuple[list[int], ...] = ([3], [9, 8], [5, 6, 7], [4], [11])
ASKED = ("Where is my parcel 12345?", "我的快递到哪里了？", "What is the fee? 运费多少？")


def together_on(packing: Packing | None) -> DecodedTogether:
    forward = decoded_forward(base_of(packing=packing))
    assert isinstance(forward, DecodedTogether)
    return forward


def read(forward: DecodedForward) -> list[DecodedCache]:
    """Some past in each cache; the second conversation has no decoder, the last that of the first."""
    caches = [forward.decoded_cache(decoder, Marks()) for decoder in DECODERS]
    for cache, past in zip(caches, PAST, strict=True):
        forward.next_logits(list(past), cache)
    return caches


def alone(forward: DecodedForward) -> Tensor:
    pairs = zip(read(forward), PIECES, strict=True)
    return torch.cat([forward.next_logits([token], cache) for cache, piece in pairs for token in piece])


def test_a_model_that_reads_one_at_a_time_does_so_with_decoders() -> None:
    plain = PlainForward(tiny_transformer("llama", seed=1, context_tokens=64))
    assert not isinstance(decoded_forward(plain), TogetherForward)
    assert isinstance(together_on(None), TogetherForward)


def test_logits_in_company_are_those_of_one_alone_but_for_rounding() -> None:
    forward = together_on(None)
    caches = read(forward)
    rows = forward.logits_together(list(zip(PIECES, caches, strict=True)))
    assert torch.allclose(rows, alone(forward), atol=1e-4)
    assert [cache.length for cache in caches] == [31, 7, 56, 2, 21]
    assert [cache.memory.length for cache in caches] == [31, 0, 56, 2, 21]


@pytest.mark.parametrize("packing", ["int8", "int4"])
def test_packed_weights_give_the_very_bits(packing: Packing) -> None:
    forward = together_on(packing)
    assert forward.exact_tokens > 1, "this processor's kernels sum a row differently in company"
    rows = forward.logits_together(list(zip(PIECES, read(forward), strict=True)))
    assert torch.equal(rows, alone(forward))


def test_the_decoders_in_a_pass_do_decide() -> None:
    forward = together_on(None)
    with_theirs = forward.logits_together(list(zip(PIECES, read(forward), strict=True)))
    caches = read(forward)
    for cache in caches:
        cache.decoder = None
    without = forward.logits_together(list(zip(PIECES, caches, strict=True)))
    differs = (with_theirs - without).abs().amax(dim=1) > 1e-3
    assert differs.tolist() == [True, False, False, True, True, True, True, True]


@pytest.mark.parametrize("packing", [None, "int4"])
def test_replies_made_together_are_those_made_alone(tmp_path: Path, packing: Packing | None) -> None:
    base = base_of(packing=packing)
    folders = [saved(tmp_path, seed, std=0.4) for seed in (6, 8)]
    model = served(base, folders[0])
    model.choose_decoder("other", folders[1])
    model.choose_decoder("none", None)
    keys = ["first", "other", "none"]
    prompts = dict(zip(keys, (asked_of(model, text) for text in ASKED), strict=True))
    expected = [
        ids_of(answer(served(base, folder), prompts[key]))
        for key, folder in zip(keys, (*folders, None), strict=True)
    ]
    num_rows: list[int] = []
    seen = watched(model.forward, num_rows)
    model.forward.logits_together = seen
    replies = at_once(model, prompts)
    assert [replies[key] for key in keys] == expected
    assert max(num_rows) >= 2


def watched(forward: DecodedTogether, num_rows: list[int]) -> Any:
    """`logits_together`, noting how many came together."""
    read_together = forward.logits_together

    def seen(pieces: Sequence[Any]) -> Tensor:
        num_rows.append(len(pieces))
        return read_together(pieces)

    return seen


def at_once(model: Any, prompts: dict[str, Prompt]) -> dict[str, list[int]]:
    replies: dict[str, list[int]] = {}

    def work(key: str) -> None:
        replies[key] = ids_of(answer(model, prompts[key], key))

    threads = [Thread(target=work, args=(key,)) for key in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def test_a_pass_that_breaks_off_has_read_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = together_on(None)
    caches = read(forward)
    with monkeypatch.context() as patch:
        patch.setattr(InstructionDecoder, "with_copies", lambda *_: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            forward.logits_together(list(zip(PIECES, caches, strict=True)))
    assert [cache.length for cache in caches] == [len(past) for past in PAST]
    rows = forward.logits_together(list(zip(PIECES, caches, strict=True)))
    assert torch.allclose(rows, alone(forward), atol=1e-4)


@pytest.mark.parametrize("packing", [None, "int4"])
@pytest.mark.parametrize("decoder", [DECODERS[0], None])
def test_a_prompt_read_layer_by_layer_gives_the_very_bits(
    packing: Packing | None, decoder: InstructionDecoder | None
) -> None:
    forward = together_on(packing)
    ids = list(range(10, 60))
    cache = forward.decoded_cache(decoder, Marks())
    reading = forward.reading(ids, cache)
    for _ in range(forward.num_layers):
        next(reading)
    assert (cache.length, cache.memory.length) == (0, 0)
    with pytest.raises(StopIteration) as done:
        next(reading)
    at_once = forward.next_logits(ids, forward.decoded_cache(decoder, Marks()))
    assert torch.equal(done.value.value, at_once)
    assert cache.length == 50
