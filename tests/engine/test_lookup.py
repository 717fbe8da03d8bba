"""Guessed tokens make a reply quicker and never another one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from dialog.engine.batch import Batch
from dialog.engine.cache import Prefix
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.kv import KeyValues
from dialog.engine.lean.pack import Packing
from dialog.engine.lookup import PromptLookup
from dialog.engine.turns import Turns
from dialog.testing import tiny_model
from dialog.values import Prompt, Sampling
from tests.engine.making import FIT, ids_of, lean_twin, made, request_for

PROMPT = Prompt(text="", ids=(1, *range(10, 60), 2, *range(10, 30)), segments=(), fit=FIT)


def test_what_followed_the_last_time_is_guessed() -> None:
    lookup = PromptLookup([5, 6, 7, 8, 9, 1, 5, 6, 7])
    assert lookup.guess(2) == [8, 9]


def test_the_latest_occurrence_counts() -> None:
    assert PromptLookup([5, 6, 7, 8, 1, 5, 6, 7, 4, 2, 5, 6, 7]).guess(1) == [4]


@pytest.mark.parametrize("ids", [[], [1], [1, 2, 3], [1, 2, 3, 4, 5, 6]])
def test_nothing_recurs_and_nothing_is_guessed(ids: list[int]) -> None:
    assert PromptLookup(ids).guess(3) == []


def test_wrong_guesses_end_what_a_reply_can_pay() -> None:
    lookup = PromptLookup([1, 2, 3] * 3)
    assert lookup.guess(3) == [1, 2, 3]
    lookup.learn(num_guessed=3, num_right=0)
    assert lookup.guess(3) == []
    for token in [1, 2, 3] * 8:  # 24 tokens earn the price of one
        lookup.add(token)
    assert lookup.guess(3) == [1]


def test_a_right_guess_pays_for_further_ones() -> None:
    lookup = PromptLookup([1, 2, 3] * 3)
    lookup.learn(num_guessed=3, num_right=0)
    lookup.learn(num_guessed=1, num_right=1)
    assert lookup.guess(3) == [1, 2]
    lookup.learn(num_guessed=2, num_right=2)
    assert lookup.guess(3) == [1, 2, 3]


@pytest.mark.parametrize("num_right", [0, 1])
def test_whatever_comes_guesses_cost_at_most_three_percent(num_right: int) -> None:
    """The worst text: every guess may be made, and `num_right` of it is right at first, then never."""
    lookup = PromptLookup([1, 2, 3] * 3)
    paid = 0.0
    for length in range(1, 400):
        lookup.add([1, 2, 3][(length - 1) % 3])
        guess = lookup.guess(3)
        if guess:
            right = num_right if length < 5 else 0
            lookup.learn(num_guessed=len(guess), num_right=right)
            paid += len(guess) / 3 - right
        if length >= 67:
            assert paid <= 0.03 * length + 1e-6
    assert paid > 4


class Circle:
    """A forward pass that always goes on to the next number below 50, and counts how often it is asked."""

    device = torch.device("cpu")
    exact_tokens = 4

    def __init__(self) -> None:
        self.num_calls = 0

    def new_cache(self) -> KeyValues:
        return KeyValues(num_layers=1, num_heads=1, head_dim=1, dtype=torch.float32)

    def next_logits(self, ids: Sequence[int], cache: KeyValues) -> torch.Tensor:
        return self.all_logits(ids, cache)[-1:]

    def all_logits(self, ids: Sequence[int], cache: KeyValues) -> torch.Tensor:
        self.num_calls += 1
        cache.length += len(ids)
        return torch.nn.functional.one_hot((torch.tensor(ids) + 1) % 50, 50).float()


def steps(forward: Circle, prompt_ids: list[int], *, max_tokens: int) -> tuple[list[int], Prefix]:
    prefix = Prefix(forward.new_cache)
    request = request_for(forward, prompt_ids, Sampling(max_tokens=max_tokens), prefix=prefix)
    batch = Batch(forward, turns=Turns())
    batch.add(request)
    while batch.num_running:
        batch.step()
    return made(request), prefix


def test_a_reply_that_quotes_is_read_four_tokens_at_a_time() -> None:
    forward = Circle()
    ids, prefix = steps(forward, [*range(50), 3, 4, 5], max_tokens=40)
    assert ids == list(range(6, 46))
    assert forward.num_calls == 1 + 10  # the prompt, then always one token and three guesses
    assert len(prefix.ids) == prefix.cache.length  # type: ignore[attr-defined]


def test_a_quotation_that_breaks_off_is_left() -> None:
    forward = Circle()
    prompt = [3, 4, 5, 6, 7, 44, 45, 46, 3, 4, 5]
    ids, _ = steps(forward, prompt, max_tokens=6)
    assert ids == [6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("packing", ["int8", "int4"])
@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(max_tokens=120),
        Sampling(max_tokens=120, repetition_penalty=0.7),
        Sampling(max_tokens=120, temperature=0.4, seed=3),
    ],
)
def test_a_reply_with_guesses_is_the_reply_without(packing: Packing, sampling: Sampling) -> None:
    model = lean_twin(tiny_model("qwen2", seed=5), packing)
    forward = model.forward
    assert isinstance(forward, LeanForward)
    assert forward.exact_tokens == 4, "this processor's kernels sum a row differently in company"
    with_guesses = ids_of(list(model.stream(PROMPT, sampling=sampling)))
    forward.exact_tokens = 1
    assert ids_of(list(model.stream(PROMPT, sampling=sampling))) == with_guesses


@pytest.mark.parametrize("packing", ["int8", "int4"])
def test_a_few_tokens_together_give_the_bits_of_one_by_one(packing: Packing) -> None:
    forward = lean_twin(tiny_model("qwen3", seed=1), packing).forward
    together, alone = forward.new_cache(), forward.new_cache()
    for kv in (together, alone):
        forward.next_logits(range(3, 90), kv)
    for size in (4, 3, 2):
        ids = list(range(20, 20 + size))
        one_by_one = torch.cat([forward.next_logits([token], alone) for token in ids])
        assert torch.equal(forward.all_logits(ids, together), one_by_one)


def test_plain_precisions_guess_nothing() -> None:
    assert lean_twin(tiny_model("llama")).forward.exact_tokens == 1


def test_wrong_guesses_do_not_stay_in_the_prefix() -> None:
    model = lean_twin(tiny_model("llama", seed=2), "int8")
    for _ in range(3):
        list(model.stream(PROMPT, sampling=Sampling(max_tokens=40), cache_key="k"))
    prefix = model.prefixes.take("k", ())
    assert isinstance(prefix, Prefix)
    assert len(prefix.ids) == prefix.cache.length  # type: ignore[attr-defined]
