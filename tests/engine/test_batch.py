"""Replies made together are those made alone, whoever comes, goes or fails meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.engine.batch import Batch
from dialog.engine.cache import Prefix
from dialog.engine.forward import Forward
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.pack import Packing
from dialog.engine.request import Request
from dialog.engine.turns import Turns
from dialog.testing import tiny_model
from dialog.values import Sampling
from tests.engine.making import lean_forward, made, request_for
from tests.engine.test_lean_parity import transformer

GREEDY = Sampling(max_tokens=12)
DRAWN = Sampling(max_tokens=12, temperature=1.2, top_p=0.9, seed=7)
PENALISED = Sampling(max_tokens=20, repetition_penalty=0.7)  # repeats itself: guesses come right
CASES: dict[str, tuple[str, Packing | None]] = {
    "llama": ("llama, grouped", None),
    "qwen3": ("qwen3", None),
    "gemma2": ("gemma2", None),
    "llama, 4 bits": ("llama, grouped", "int4"),
    "qwen2 with a window, 8 bits": ("qwen2, window", "int8"),
    "gemma3, 4 bits": ("gemma3", "int4"),
}
FORWARDS = {case: lean_forward(transformer(name), packing) for case, (name, packing) in CASES.items()}
FORWARDS["transformers"] = tiny_model("llama").forward


def run(batch: Batch, requests: Sequence[tuple[int, Request]]) -> None:
    """Each comes when so many steps are done."""
    waiting = sorted(requests, key=lambda request: request[0])
    num_steps = 0
    while waiting or batch.num_running:
        while waiting and waiting[0][0] <= num_steps:
            batch.add(waiting.pop(0)[1])
        batch.drop_unwanted()
        batch.step()
        num_steps += 1


def batch_of(forward: Forward[Any]) -> Batch:
    return Batch(forward, turns=Turns())


def alone(forward: Forward[Any], ids: Sequence[int], sampling: Sampling) -> list[int]:
    request = request_for(forward, ids, sampling)
    run(batch_of(forward), [(0, request)])
    return made(request)


PROMPTS = st.lists(st.integers(3, 90), min_size=1, max_size=70)
ASKED = st.tuples(st.integers(0, 15), PROMPTS, st.sampled_from([GREEDY, DRAWN, PENALISED]))


@pytest.mark.parametrize("case", FORWARDS)
@settings(max_examples=10, deadline=None)
@given(asked=st.lists(ASKED, min_size=2, max_size=7))
def test_whoever_else_is_answered_the_reply_is_that_given_alone(
    case: str, asked: list[tuple[int, list[int], Sampling]]
) -> None:
    forward = FORWARDS[case]
    requests = [(when, request_for(forward, ids, sampling)) for when, ids, sampling in asked]
    batch = batch_of(forward)
    run(batch, requests)
    assert [made(request) for _, request in requests] == [alone(forward, ids, how) for _, ids, how in asked]
    assert batch.num_running == 0


def test_a_reply_goes_on_from_its_own_prefix() -> None:
    forward = FORWARDS["llama, 4 bits"]
    kept: list[Prefix] = []
    first = [request_for(forward, range(3 + n, 40 + n), GREEDY, kept=kept) for n in range(3)]
    run(batch_of(forward), [(0, request) for request in first])
    replies = [made(request) for request in first]
    assert all(len(prefix.ids) == prefix.cache.length for prefix in kept)
    again = []
    for number, reply in enumerate(replies):
        ids = [*range(3 + number, 40 + number), *reply, 50]
        prefix = next(prefix for prefix in kept if prefix.ids[0] == 3 + number)
        again.append(request_for(forward, ids, GREEDY, prefix=prefix))
    run(batch_of(forward), [(0, request) for request in again])
    assert all(len(made(request)) == 12 for request in again)
    assert [request.cached_tokens for request in again] == [37 + 11] * 3


def test_a_long_prompt_does_not_stall_the_others() -> None:
    forward = FORWARDS["llama"]
    assert isinstance(forward, LeanForward)
    batch = batch_of(forward)
    talking = request_for(forward, range(3, 20), Sampling(max_tokens=30))
    batch.add(talking)
    batch.step()
    long = request_for(forward, [3 + number % 90 for number in range(180)], GREEDY)
    batch.add(long)
    before = talking._steps.qsize()
    num_steps = 0
    while not long._steps.qsize():
        batch.step()
        num_steps += 1
    # 64 tokens' worth at a time: of two layers one is 90
    assert num_steps == 3
    assert talking._steps.qsize() - before == num_steps


def test_a_lone_prompt_is_read_at_once() -> None:
    forward = FORWARDS["llama"]
    batch = batch_of(forward)
    request = request_for(forward, [3 + number % 90 for number in range(180)], GREEDY)
    batch.add(request)
    batch.step()
    assert request._steps.qsize() == 1


def test_long_prompts_take_turns_piece_by_piece() -> None:
    forward = FORWARDS["transformers"]
    batch = batch_of(forward)
    ids = [3 + number % 90 for number in range(510)]
    long = request_for(forward, [*ids, *ids], Sampling(max_tokens=1))
    short = request_for(forward, ids, Sampling(max_tokens=1))
    batch.add(long)
    batch.add(short)
    batch.step()
    batch.step()
    assert (long._steps.qsize(), short._steps.qsize()) == (0, 1)


@pytest.mark.parametrize("case", ["llama", "gemma3, 4 bits", "transformers"])
def test_cancelling_frees_the_slot_within_a_step(case: str) -> None:
    forward = FORWARDS[case]
    cancel = threading.Event()
    kept: list[Prefix] = []
    cancelled = request_for(forward, range(3, 30), Sampling(max_tokens=300), cancel=cancel, kept=kept)
    other = request_for(forward, range(5, 50), GREEDY)
    batch = batch_of(forward)
    batch.add(cancelled)
    batch.add(other)
    for _ in range(4):
        batch.step()
    cancel.set()
    batch.drop_unwanted()
    assert batch.num_running == 1
    [prefix] = kept
    assert prefix.is_whole
    assert prefix.ids[:27] == list(range(3, 30))
    run(batch, [])
    assert list(cancelled.steps())[-1].finish_reason == "interrupted"
    assert made(other) == alone(forward, range(5, 50), GREEDY)


def test_a_reader_who_leaves_in_the_middle_of_a_prompt_leaves_what_was_read() -> None:
    forward = FORWARDS["llama"]
    batch = batch_of(forward)
    batch.add(request_for(forward, range(3, 20), Sampling(max_tokens=30)))
    batch.step()
    kept: list[Prefix] = []
    cancel = threading.Event()
    ids = [3 + number % 90 for number in range(180)]
    batch.add(request_for(forward, ids, GREEDY, cancel=cancel, kept=kept))
    batch.step()
    cancel.set()
    batch.drop_unwanted()
    assert (batch.num_running, kept[0].ids, kept[0].is_whole) == (1, [], True)


@pytest.mark.parametrize("case", ["llama", "llama, 4 bits", "transformers"])
def test_a_request_that_fails_takes_nobody_along(case: str) -> None:
    forward = FORWARDS[case]
    kept: list[Prefix] = []
    bad = request_for(forward, [3, 4, 10**6], GREEDY, kept=kept)
    good = [request_for(forward, range(3 + n, 30 + n), DRAWN) for n in range(3)]
    batch = batch_of(forward)
    run(batch, [(0, good[0]), (0, bad), (1, good[1]), (2, good[2])])
    with pytest.raises(IndexError):
        list(bad.steps())
    assert kept == []
    assert [made(request) for request in good] == [
        alone(forward, range(3 + n, 30 + n), DRAWN) for n in range(3)
    ]


def test_a_choice_that_fails_is_its_own_readers_affair() -> None:
    forward = FORWARDS["llama"]
    broken, good = (request_for(forward, range(3, 30), DRAWN) for _ in range(2))
    broken.sampler.choose = lambda *_: 1 // 0  # type: ignore[method-assign]
    run(batch_of(forward), [(0, broken), (0, good)])
    with pytest.raises(ZeroDivisionError):
        list(broken.steps())
    assert made(good) == alone(forward, range(3, 30), DRAWN)


def test_a_flag_that_fails_is_its_own_readers_affair() -> None:
    class Broken:
        def is_set(self) -> bool:
            raise BufferError

    forward = FORWARDS["llama"]
    broken = request_for(forward, range(3, 30), GREEDY, cancel=Broken())
    good = request_for(forward, range(3, 30), GREEDY)
    run(batch_of(forward), [(0, broken), (0, good)])
    with pytest.raises(BufferError):
        list(broken.steps())
    assert len(made(good)) == 12


def test_a_prefix_that_cannot_be_kept_is_its_own_readers_affair() -> None:
    forward = FORWARDS["llama"]
    broken, good = (request_for(forward, range(3, 30), GREEDY) for _ in range(2))
    broken.give_back = lambda _: 1 // 0  # type: ignore[assignment, return-value]
    run(batch_of(forward), [(0, broken), (0, good)])
    with pytest.raises(ZeroDivisionError):
        list(broken.steps())
    assert len(made(good)) == 12


def test_where_all_together_are_too_much_each_is_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = lean_forward(transformer("llama, grouped"))
    requests = [request_for(forward, range(3 + n, 30 + n), GREEDY) for n in range(3)]

    def too_much(*_: Any) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(forward, "_each_head", too_much)
    run(batch_of(forward), [(0, request) for request in requests])
    assert [made(request) for request in requests] == [
        alone(forward, range(3 + n, 30 + n), GREEDY) for n in range(3)
    ]


def test_guesses_fill_up_the_rows_that_cost_nothing() -> None:
    forward = FORWARDS["llama, 4 bits"]
    assert isinstance(forward, LeanForward)
    repeating = [*range(3, 13)] * 3
    slots = [request_for(forward, repeating, GREEDY) for _ in range(3)]
    batch = batch_of(forward)
    for request in slots:
        batch.add(request)
    while any(slot.wanted.is_prompt for slot in batch._slots):
        batch.step()
    for num_slots, most in ((1, 4), (2, 4), (3, 4)):
        pieces = batch._with_guesses(batch._slots[:num_slots])
        assert num_slots <= sum(map(len, pieces)) <= most
