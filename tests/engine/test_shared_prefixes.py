"""A new conversation starts from a copy of what it shares with another, and says the same as alone."""

from __future__ import annotations

import pytest
import torch

from dialog.engine.cache import Prefix, PrefixPool
from dialog.engine.lean.pack import Packing
from dialog.engine.local import LocalModel
from dialog.testing import tiny_model
from dialog.values import Prompt, Sampling
from tests.engine.making import ids_of, lean_twin, prompt_of
from tests.engine.test_cache import answer, prompt, sliding_model

PLAIN = tiny_model("qwen2", seed=2)
LEAN = lean_twin(PLAIN)
SYSTEM = "You answer customers. Be brief. 你是客服，回答要简短。"


def question(model: LocalModel, text: str) -> Prompt:
    return prompt_of(model.tokenizer, ("system", SYSTEM), ("user", text))


def common(a: Prompt, b: Prompt) -> int:
    pairs = zip(a.ids, b.ids, strict=False)
    return next(number for number, (one, other) in enumerate(pairs) if one != other)


@pytest.mark.parametrize("model", [PLAIN, LEAN], ids=["transformers", "lean"])
@pytest.mark.parametrize("texts", [("Where is it?", "How much?"), ("包裹在哪里？", "运费多少？")])
def test_instructions_are_read_once_for_all_customers(model: LocalModel, texts: tuple[str, str]) -> None:
    model.prefixes.clear()
    first, second = (question(model, text) for text in texts)
    assert answer(model, first, "one")[1] == 0
    ids, cached = answer(model, second, "another")
    assert cached == common(first, second) > 40
    assert ids == answer(model, second, None)[0]


@pytest.mark.parametrize("model", [PLAIN, LEAN], ids=["transformers", "lean"])
def test_both_go_on_undisturbed(model: LocalModel) -> None:
    model.prefixes.clear()
    one, other = question(model, "one 一"), question(model, "other 二")
    said_one, _ = answer(model, one, "one")
    said_other, _ = answer(model, other, "other")
    for start, said, key in ((one, said_one, "one"), (other, said_other, "other")):
        longer = prompt(*start.ids, *said, 2, 201, 1, 87)
        ids, cached = answer(model, longer, key)
        assert cached == len(start.ids) + len(said) - 1
        assert ids == answer(model, longer, None)[0]


def test_a_fork_starts_where_it_left() -> None:
    LEAN.prefixes.clear()
    begun = question(LEAN, "begun 开始")
    said, _ = answer(LEAN, begun, "first")
    forked = prompt(*begun.ids, *said, 2, 201, 99)
    ids, cached = answer(LEAN, forked, "fork")
    assert cached == len(begun.ids) + len(said) - 1
    assert ids == answer(LEAN, forked, None)[0]


def test_what_is_shared_is_there_while_everybody_is_busy() -> None:
    LEAN.prefixes.clear()
    prompts = [question(LEAN, text) for text in ("a?", "b?", "c?")]
    for key, one in zip(("a", "b"), prompts, strict=False):
        answer(LEAN, one, key)
    for key in ("a", "b"):
        LEAN.prefixes.take(key, ())
    assert answer(LEAN, prompts[2], "c")[1] == common(prompts[0], prompts[1])


def test_a_copy_is_the_same_to_the_bit_and_its_own() -> None:
    forward = LEAN.forward
    kv = forward.new_cache()
    forward.next_logits(range(3, 60), kv)
    twin = kv.copy(40)
    kv.crop(40)
    after = forward.all_logits([100, 101, 102], twin)
    assert torch.equal(after, forward.all_logits([100, 101, 102], kv))
    forward.next_logits([5] * 10, kv)
    assert twin.length == 43
    twin.crop(40)
    assert torch.equal(forward.all_logits([100, 101, 102], twin), after)


@pytest.mark.parametrize("packing", ["int8"])
def test_packed_weights_share_too(packing: Packing) -> None:
    model = lean_twin(tiny_model("llama", seed=5), packing)
    first, second = question(model, "first 一"), question(model, "second 二")
    answer(model, first, "one")
    assert answer(model, second, "two")[1] == common(first, second)


def test_a_few_equal_tokens_are_not_worth_a_copy() -> None:
    LEAN.prefixes.clear()
    answer(LEAN, prompt(*range(3, 18), 90, 91), "one")
    assert answer(LEAN, prompt(*range(3, 18), 80, 81), "another")[1] == 0


def test_layers_that_forget_share_nothing() -> None:
    model = sliding_model()
    answer(model, prompt(*range(3, 60)), "one")
    changed = prompt(*range(3, 50), 100)
    assert answer(model, changed, "two") == (answer(model, changed, None)[0], 0)


def test_nothing_is_shared_without_a_conversation() -> None:
    LEAN.prefixes.clear()
    same = prompt(*range(3, 60))
    answer(LEAN, same, "one")
    (first, *_) = LEAN.stream(same, sampling=Sampling(max_tokens=2))
    assert first.cached_tokens == 0


def test_stems_count_and_are_dropped_like_conversations() -> None:
    def held(*ids: int) -> Prefix:
        prefix = Prefix(LEAN.forward.new_cache)
        with prefix.extending(ids) as cache:
            LEAN.forward.next_logits(ids, cache)
        return prefix

    one = held(*range(3, 60)).num_bytes()
    pool = PrefixPool(max_bytes=2 * one)
    pool.put("a", held(*range(3, 60)))
    fork = pool.take("b", (*range(3, 40), 90))
    assert fork is not None
    assert fork.ids == list(range(3, 40))
    assert pool.num_bytes() == 2 * one
    pool.put("b", fork)
    assert pool.num_bytes() == 2 * one
    assert pool.take("a", ()) is None
    assert pool.take("c", (*range(3, 40), 91)) is not None


def test_replies_are_ids_of_the_uncached_path_for_many_customers() -> None:
    LEAN.prefixes.clear()
    for number in range(12):
        asked = question(LEAN, f"订单 {number * 37 % 11} order?")
        chunks = list(LEAN.stream(asked, sampling=Sampling(max_tokens=8), cache_key=f"c{number}"))
        assert ids_of(chunks) == ids_of(list(LEAN.stream(asked, sampling=Sampling(max_tokens=8))))
