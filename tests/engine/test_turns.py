"""Turns go round: whoever asked first is next, and one who gives up is skipped."""

from __future__ import annotations

import threading

import pytest

from dialog.engine.turns import Turns
from dialog.testing import tiny_model
from dialog.values import Sampling
from tests.engine.making import prompt_of


def until_waiting(turns: Turns, count: int) -> None:
    """Wait until so many stand in line."""
    while len(turns._waiting) < count:
        threading.Event().wait(0.001)


def test_the_turn_is_handed_on_in_the_order_of_asking() -> None:
    turns, order = Turns(), []

    def work(name: str) -> None:
        with turns:
            order.append(name)

    with turns:
        threads = []
        for number, name in enumerate("abc", start=1):
            threads.append(threading.Thread(target=work, args=(name,)))
            threads[-1].start()
            until_waiting(turns, number)
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "c"]
    with turns:  # free again
        pass


def test_an_error_inside_frees_the_turn() -> None:
    turns = Turns()
    with pytest.raises(MemoryError), turns:
        raise MemoryError
    with turns:
        pass


def test_one_who_gives_up_waiting_is_skipped() -> None:
    turns, done = Turns(), threading.Event()

    def work() -> None:
        with turns:
            done.set()

    with turns:
        gate = threading.Lock()
        turns._waiting.append(gate)
        thread = threading.Thread(target=work)
        thread.start()
        until_waiting(turns, 2)
        turns._give_up(gate)
    thread.join(10)
    assert done.is_set()


def test_two_streams_advance_together() -> None:
    model = tiny_model()
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    order: list[str] = []
    ready = threading.Barrier(2)

    def work(name: str) -> None:
        ready.wait()
        for _ in model.stream(prompt, sampling=Sampling(max_tokens=60)):
            order.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last_of_first = min(len(order) - 1 - order[::-1].index(name) for name in "ab")
    assert last_of_first > 0.6 * len(order), "the second stream began only when the first was nearly done"
