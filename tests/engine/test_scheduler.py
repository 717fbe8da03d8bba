"""Many threads ask, one makes their replies: fair, bounded, and it survives what goes wrong."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from dialog.engine import scheduler as scheduler_module
from dialog.engine.generate import Step
from dialog.engine.lean.kv import KeyValues
from dialog.engine.lean.pack import Packing
from dialog.engine.request import Request
from dialog.engine.scheduler import Scheduler
from dialog.engine.turns import Turns
from dialog.engine.waiting import Waiting
from dialog.errors import ModelBusy, ModelError
from dialog.testing import tiny_model
from dialog.values import Prompt, Sampling
from tests.engine.making import FIT, ids_of, lean_twin, made, prompt_of, request_for

SHORT = Sampling(max_tokens=3)


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if is_so():
            return
        threading.Event().wait(0.001)
    raise AssertionError("waited in vain")


class Gated:
    """A forward pass that goes on to the next number, once for every permit; it notes what it reads first."""

    device = torch.device("cpu")
    exact_tokens = 1

    def __init__(self) -> None:
        self.permits = threading.Semaphore(0)
        self.begun: list[int] = []

    def new_cache(self) -> KeyValues:
        return KeyValues(num_layers=1, num_heads=1, head_dim=1, dtype=torch.float32)

    def next_logits(self, ids: Sequence[int], cache: KeyValues) -> torch.Tensor:
        if cache.length == 0:
            self.begun.append(ids[0])
        return self.all_logits(ids, cache)

    def all_logits(self, ids: Sequence[int], cache: KeyValues) -> torch.Tensor:
        self.permits.acquire()
        cache.length += len(ids)
        return torch.nn.functional.one_hot(torch.tensor([(ids[-1] + 1) % 50]), 50).float()

    def open(self) -> None:
        self.permits.release(10_000)


def start(forward: Gated, **settings: int) -> Scheduler:
    return Scheduler(forward, turns=Turns(), **settings)


def ask(forward: Gated, token: int, key: str | None = None, **settings: Any) -> Request:
    return request_for(forward, [token], SHORT, key=key, **settings)


@pytest.mark.parametrize("packing", [None, "int4"])
def test_many_threads_get_the_replies_they_would_get_alone(packing: Packing | None) -> None:
    model = lean_twin(tiny_model("qwen3", seed=3), packing)
    model.prefixes.max_bytes = 0  # a beginning taken from another conversation was read in other pieces
    texts = ["Where is my parcel?", "我的快递到哪里了？", "hello", "退货要几天？", "x" * 90, "好"]
    prompts = [prompt_of(model.tokenizer, ("user", text)) for text in texts]
    sampling = [Sampling(max_tokens=40, temperature=0.8 * (number % 2), seed=number) for number in range(6)]
    alone = [
        ids_of(list(model.stream(prompt, sampling=how)))
        for prompt, how in zip(prompts, sampling, strict=True)
    ]
    replies: dict[tuple[int, int], list[int]] = {}
    ready = threading.Barrier(6)

    def work(number: int) -> None:
        ready.wait()
        for turn in range(3):
            stream = model.stream(prompts[number], sampling=sampling[number], cache_key=f"{number}-{turn}")
            replies[number, turn] = ids_of(list(stream))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == {(number, turn): alone[number] for number in range(6) for turn in range(3)}
    assert (model.scheduler.num_running, model.scheduler.num_waiting) == (0, 0)


def test_two_replies_in_one_conversation_do_not_share_its_cache() -> None:
    model = lean_twin(tiny_model("llama", seed=1))
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    sampling = Sampling(max_tokens=60)
    expected = ids_of(list(model.stream(prompt, sampling=sampling)))
    replies: list[list[int]] = []

    def work() -> None:
        replies.append(ids_of(list(model.stream(prompt, sampling=sampling, cache_key="same"))))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [expected] * 4


def test_no_cache_outlives_its_reply_but_in_the_pool() -> None:
    model = lean_twin(tiny_model("llama"))
    caches: list[weakref.ref[KeyValues]] = []
    new_cache = model.forward.new_cache

    def noted() -> KeyValues:
        cache = new_cache()
        caches.append(weakref.ref(cache))
        return cache

    model.forward.new_cache = noted
    asked = prompt_of(model.tokenizer, ("user", "x"))
    for key in ("kept", None):
        list(model.stream(asked, sampling=SHORT, cache_key=key))
    left = model.stream(asked, sampling=Sampling(max_tokens=300))
    next(left)
    left.close()  # type: ignore[attr-defined]
    list(model.stream(asked, sampling=SHORT))
    until(lambda: model.scheduler.num_running == 0)
    gc.collect()
    assert [cache() is not None for cache in caches] == [True, False, False, False]
    kept = caches[0]()
    assert kept is not None
    assert model.prefixes.num_bytes() == kept.num_bytes()


def test_more_than_may_wait_are_refused_with_a_word_on_what_to_do() -> None:
    forward = Gated()
    scheduler = start(forward, slots=1, queue=2)
    running = scheduler.steps(ask(forward, 1))
    until(lambda: forward.begun == [1])
    waiting = [scheduler.steps(ask(forward, number)) for number in (2, 3)]
    with pytest.raises(ModelBusy, match=r"2 requests are waiting .* ask again") as refused:
        scheduler.steps(ask(forward, 4))
    assert (refused.value.waiting, refused.value.limit) == (2, 2)
    forward.open()
    assert [[step.id for step in steps] for steps in (running, *waiting)] == [[2, 3, 4], [3, 4, 5], [4, 5, 6]]
    assert [step.id for step in scheduler.steps(ask(forward, 4))] == [5, 6, 7]


def test_a_cancelled_request_gives_up_its_place_in_the_queue() -> None:
    forward = Gated()
    scheduler = start(forward, slots=1, queue=1)
    running = scheduler.steps(ask(forward, 1))
    until(lambda: forward.begun == [1])
    cancel = threading.Event()
    waiting = scheduler.steps(ask(forward, 2, cancel=cancel))
    cancel.set()
    next_one = scheduler.steps(ask(forward, 3))
    assert list(waiting) == [Step(None, "interrupted")]
    forward.open()
    assert [step.id for step in (*running, *next_one)] == [2, 3, 4, 4, 5, 6]
    assert forward.begun == [1, 3]


def test_who_asks_often_does_not_hold_up_who_asks_once() -> None:
    forward = Gated()
    scheduler = start(forward, slots=1)
    requests = [ask(forward, 1, "first")]
    steps = [scheduler.steps(requests[0])]
    until(lambda: forward.begun == [1])
    for token, key in ((10, "often"), (11, "often"), (12, "often"), (20, "once"), (30, None)):
        steps.append(scheduler.steps(ask(forward, token, key)))
    forward.open()
    for one in steps:
        list(one)
    assert forward.begun == [1, 10, 20, 30, 11, 12]


def test_a_reader_who_leaves_frees_the_slot_within_a_step() -> None:
    forward = Gated()
    scheduler = start(forward, slots=1)
    left = scheduler.steps(request_for(forward, [1], Sampling(max_tokens=1000)))
    forward.permits.release()
    assert next(left) == Step(2)
    other = scheduler.steps(ask(forward, 5))
    left.close()
    forward.permits.release(1 + 3)  # the step in work, then the other's three
    assert [step.id for step in other] == [6, 7, 8]


def test_a_slow_reader_holds_no_slot() -> None:
    forward = Gated()
    scheduler = start(forward, slots=1)
    slow = scheduler.steps(ask(forward, 1))
    forward.open()
    assert [step.id for step in scheduler.steps(ask(forward, 5))] == [6, 7, 8]
    assert [step.id for step in slow] == [2, 3, 4]


def test_closing_interrupts_and_the_next_request_starts_anew() -> None:
    forward = Gated()
    scheduler = start(forward, slots=1)
    running = scheduler.steps(request_for(forward, [1], Sampling(max_tokens=1000)))
    until(lambda: forward.begun == [1])
    waiting = scheduler.steps(ask(forward, 2))
    forward.permits.release(2)
    closing = threading.Thread(target=scheduler.close)
    closing.start()
    until(lambda: scheduler._is_closing)
    forward.open()
    closing.join()
    assert list(running)[-1] == list(waiting)[-1] == Step(None, "interrupted")
    assert (scheduler.num_running, scheduler.num_waiting) == (0, 0)
    assert [step.id for step in scheduler.steps(ask(forward, 5))] == [6, 7, 8]


def test_a_mistake_of_the_scheduler_itself_is_told_and_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Gated()
    forward.open()
    scheduler = start(forward)
    with monkeypatch.context() as patch:
        patch.setattr(scheduler._batch, "_decode", lambda _: 1 // 0)
        with pytest.raises(ModelError, match="scheduler failed: ZeroDivisionError") as failed:
            list(scheduler.steps(ask(forward, 1)))
        assert isinstance(failed.value.__cause__, ZeroDivisionError)
    assert [step.id for step in scheduler.steps(ask(forward, 5))] == [6, 7, 8]


def test_the_thread_ends_when_nobody_asks_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "_LINGER_S", 0.01)
    forward = Gated()
    forward.open()
    scheduler = start(forward)
    assert len(made_by(scheduler, ask(forward, 1))) == 3
    until(lambda: scheduler._thread is None)
    assert len(made_by(scheduler, ask(forward, 1))) == 3


def made_by(scheduler: Scheduler, request: Request) -> list[int]:
    scheduler.steps(request)
    return made(request)


def test_one_of_another_key_goes_before_the_second_of_the_same() -> None:
    waiting: Waiting[str] = Waiting()
    for key, item in (("a", "a1"), ("a", "a2"), ("b", "b1"), (None, "n1"), ("a", "a3")):
        waiting.put(key, item)
    assert len(waiting) == 5
    assert waiting.remove(lambda item: item == "a2") == ["a2"]
    assert [waiting.take() for _ in range(4)] == ["a1", "b1", "n1", "a3"]
    assert len(waiting) == 0
    with pytest.raises(KeyError):
        waiting.take()


def test_what_is_refused_before_it_is_read_holds_no_slot() -> None:
    model = tiny_model()
    prompt = prompt_of(model.tokenizer, ("user", "x"))
    with pytest.raises(ValueError, match="stop string"):
        list(model.stream(prompt, sampling=Sampling(max_tokens=400, stop=("",))))
    assert len(ids_of(list(model.stream(prompt, sampling=SHORT)))) == 3
    assert model.scheduler.num_running == 0


def test_a_prompt_is_not_sent_before_the_first_next() -> None:
    model = tiny_model()
    model.stream(Prompt(text="", ids=(3,), segments=(), fit=FIT), sampling=SHORT)
    assert model.scheduler._thread is None
