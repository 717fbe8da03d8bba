"""Reusing a prefix changes what is read, never what is said."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Gemma3ForCausalLM, Gemma3TextConfig
from transformers.cache_utils import DynamicLayer

from dialog.engine.cache import Prefix, PrefixPool
from dialog.engine.load import local_model
from dialog.engine.local import LocalModel
from dialog.engine.plain import GrowingLayer, PlainCache
from dialog.testing import tiny_model
from dialog.testing.tiny import tiny_tokenizer
from dialog.values import Prompt, Sampling
from tests.engine.making import FIT, ids_of, prompt_of

SAMPLING = Sampling(max_tokens=16)
MODEL = tiny_model("qwen2", seed=2)


def prompt(*ids: int) -> Prompt:
    return Prompt(text="", ids=ids, segments=(), fit=FIT)


def answer(model: LocalModel, prompt: Prompt, key: str | None) -> tuple[list[int], int | None]:
    chunks = list(model.stream(prompt, sampling=SAMPLING, cache_key=key))
    return ids_of(chunks), chunks[0].cached_tokens


def test_the_next_turn_reads_only_what_is_new() -> None:
    first = prompt_of(MODEL.tokenizer, ("user", "Where is my parcel?"))
    said, cached = answer(MODEL, first, "new-turn")
    assert cached == 0
    second = prompt(*first.ids, *said, 2, 201, 1, 87, 85)
    ids, cached = answer(MODEL, second, "new-turn")
    assert cached == len(first.ids) + len(said) - 1  # the last token was never read back
    assert ids == answer(MODEL, second, None)[0]


def test_the_same_prompt_again_reads_its_last_token() -> None:
    first = prompt_of(MODEL.tokenizer, ("user", "again"))
    said, _ = answer(MODEL, first, "same")
    assert answer(MODEL, first, "same") == (said, len(first.ids) - 1)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.lists(st.integers(3, 8), min_size=1, max_size=30), min_size=2, max_size=4))
def test_whatever_was_said_before_the_answer_is_that_of_an_empty_cache(history: list[list[int]]) -> None:
    MODEL.prefixes.clear()
    for ids in history:
        cached_answer, _ = answer(MODEL, prompt(*ids), "history")
        assert cached_answer == answer(MODEL, prompt(*ids), None)[0]


def test_undo_crops_the_cache() -> None:
    long, short = prompt(*range(3, 60)), prompt(*range(3, 40), 100)
    answer(MODEL, long, "undo")
    ids, cached = answer(MODEL, short, "undo")
    assert cached == 37
    assert ids == answer(MODEL, short, None)[0]


def test_a_reader_that_leaves_early_leaves_a_usable_prefix() -> None:
    MODEL.prefixes.clear()
    begun = prompt(*range(3, 40))
    stream = MODEL.stream(begun, sampling=SAMPLING, cache_key="left")
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert answer(MODEL, begun, "left") == (answer(MODEL, begun, None)[0], 36)


def test_a_second_stream_on_a_key_in_use_starts_from_nothing() -> None:
    MODEL.prefixes.clear()
    same = prompt(*range(3, 40))
    first = MODEL.stream(same, sampling=Sampling(max_tokens=400), cache_key="busy")
    begun = [next(first)]
    second, cached = answer(MODEL, same, "busy")
    assert cached == 0
    assert ids_of([*begun, *first])[:16] == second


def test_a_broken_forward_pass_is_not_reused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama", seed=4)
    same = prompt(*range(3, 40))
    answer(model, same, "broken")
    layer = model.forward.model.model.layers[1]
    with monkeypatch.context() as patch:
        patch.setattr(layer, "forward", lambda *_, **__: (_ for _ in ()).throw(MemoryError()))
        with pytest.raises(MemoryError):
            answer(model, prompt(*range(3, 50)), "broken")
    assert answer(model, prompt(*range(3, 50)), "broken") == (
        answer(model, prompt(*range(3, 50)), None)[0],
        0,
    )


def test_a_broken_off_pass_leaves_the_prefix_marked() -> None:
    prefix = Prefix(MODEL.forward.new_cache)
    with pytest.raises(KeyboardInterrupt), prefix.extending([3]):
        raise KeyboardInterrupt
    assert not prefix.is_whole


def held(num_tokens: int) -> Prefix:
    prefix = Prefix(MODEL.forward.new_cache)
    ids = [3] * num_tokens
    with prefix.extending(ids) as cache:
        MODEL.forward.next_logits(ids, cache)
    return prefix


def test_the_longest_unused_is_dropped_when_memory_is_full() -> None:
    one = held(5).num_bytes()
    pool = PrefixPool(max_bytes=2 * one)
    for key in ("a", "b"):
        pool.put(key, held(5))
    pool.put("a", pool.take("a", ()) or held(5))  # used again
    pool.put("c", held(5))
    assert pool.num_bytes() == 2 * one
    assert pool.take("b", ()) is None
    assert pool.take("a", ()) is not None


def test_a_prefix_larger_than_the_pool_is_not_kept() -> None:
    pool = PrefixPool(max_bytes=10)
    pool.put("a", held(5))
    assert pool.num_bytes() == 0


def test_no_memory_reuses_nothing() -> None:
    model = tiny_model("llama", cache_bytes=0)
    same = prompt(*range(3, 40))
    assert [answer(model, same, "k")[1] for _ in range(2)] == [0, 0]


def test_a_growing_layer_holds_what_a_plain_one_holds() -> None:
    grown, plain = GrowingLayer(), DynamicLayer()
    generator = torch.Generator().manual_seed(0)
    for length in (7, 1, 300, 1):
        keys, values = torch.randn(2, 1, 2, length, 4, generator=generator)
        for ours, theirs in zip(grown.update(keys, values), plain.update(keys, values), strict=True):
            assert torch.equal(ours, theirs)
        grown.crop(-1)
        plain.crop(-1)
    assert grown.get_seq_length() == plain.get_seq_length() == 305


def test_a_positive_crop_is_refused_by_transformers_so_ours_counts_from_the_end() -> None:
    cache = PlainCache(MODEL.forward.model.config)
    with pytest.raises(ValueError, match="negative"):
        cache.past.crop(1)


def sliding_model() -> LocalModel:
    config = Gemma3TextConfig(
        vocab_size=len(tiny_tokenizer()),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        sliding_window=8,
        layer_types=["sliding_attention", "full_attention"],
        max_position_embeddings=256,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=2,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Gemma3ForCausalLM(config).eval()
    return local_model(model, tiny_tokenizer(), name="sliding", fingerprint="sliding")


def test_a_sliding_window_cannot_go_back_but_can_go_on() -> None:
    model = sliding_model()
    first, changed = prompt(*range(3, 40)), prompt(*range(3, 30), 100)
    said, _ = answer(model, first, "s")
    longer = prompt(*first.ids, *said, 50, 51)
    ids, cached = answer(model, longer, "s")
    assert cached == len(first.ids) + len(said) - 1
    assert ids == answer(model, longer, None)[0]
    assert answer(model, changed, "s") == (answer(model, changed, None)[0], 0)


def test_scores_of_a_model_that_cannot_go_back_are_right() -> None:
    model = sliding_model()
    asked = prompt_of(model.tokenizer, ("user", "which one of them?"))
    together = model.score(asked, ["yes", "no way", "yes"])
    assert [together[0]] == model.score(asked, ["yes"])
    assert together[2].logprobs == pytest.approx(together[0].logprobs, abs=1e-5)
