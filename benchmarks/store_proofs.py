"""Proofs about the conversation store: kill -9, races, many processes, actions done once.

Each proof forks processes that open the store for themselves, checks what they
left behind, and raises AssertionError or returns what it counted.

    python -m benchmarks.store_proofs --kills 200 [--url sqlite:///FILE]

Run it as a process of its own: it forks, so nothing else may have threads.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dialog.errors import StaleHead
from dialog.store import open_store
from dialog.store.keys import key_of
from dialog.store.outbox import NewAction
from dialog.store.sql import SqlStore
from dialog.testing.making import replied, said

_FORK = multiprocessing.get_context("fork")
ACK_BYTES = 33


def kill_writers(url: str, *, num_kills: int, seed: int) -> dict[str, int]:
    """Kill a writer at random instants; every acknowledged message must be there, in order.

    A message may be there although its acknowledgement was not heard: at most one a kill.
    """
    acknowledged: list[str] = []
    chance = random.Random(seed)
    for _ in range(num_kills):
        acknowledged += _killed(lambda pipe: _write_forever(url, pipe), chance)
    with open_store(url) as store:
        assert store.notices == (), store.notices
        recorded = [entry.id for entry in store.load("killed").path()]
        positions = {one: at for at, one in enumerate(recorded)}
        lost = [one for one in acknowledged if one not in positions]
        assert not lost, f"{len(lost)} acknowledged messages are gone"
        order = [positions[one] for one in acknowledged]
        assert order == sorted(order), "acknowledged messages changed their order"
        assert len(recorded) - len(acknowledged) <= num_kills
    return {"kills": num_kills, "acknowledged": len(acknowledged), "lost": 0, "recorded": len(recorded)}


def _write_forever(url: str, pipe: int) -> None:
    store = open_store(url)
    while True:
        conversation = store.load("killed")
        message = said(conversation, "message " * 50)
        store.append("killed", [message], expected_head=conversation.head)
        os.write(pipe, f"{message.id}\n".encode())


def _killed(work: Callable[[int], None], chance: random.Random) -> list[str]:
    """Run `work` in a process, kill it at a random instant, and return the whole lines it wrote.

    Four times of five the instant lies after its first line, else anywhere from the start on.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            work(writing)
        except BaseException as error:
            print(f"writer failed: {error!r}", file=sys.stderr, flush=True)
        finally:
            os._exit(1)
    os.close(writing)
    heard = os.read(reading, ACK_BYTES) if chance.random() < 0.8 else b""
    time.sleep(chance.uniform(0.0, 0.1))
    os.kill(pid, signal.SIGKILL)
    while data := os.read(reading, 65536):
        heard += data
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    return [line.decode() for line in heard.split(b"\n")[:-1]]


def many_processes(url: str, *, num_processes: int, num_messages: int) -> dict[str, int]:
    """Processes talk in one conversation; every turn must be whole and in its process's order."""

    def talk(name: int) -> None:
        with open_store(url) as store:
            for at in range(num_messages):
                with store.hold("shared"):
                    _turn(store, f"{name}:{at}")

    _all(talk, num_processes)
    with open_store(url) as store:
        turns = store.load("shared").turns()
    assert len(turns) == num_processes * num_messages, f"{len(turns)} turns"
    assert all(turn.reply == turn.user for turn in turns), "a turn has another's reply"
    for name in range(num_processes):
        own = [turn.user for turn in turns if turn.user.startswith(f"{name}:")]
        assert own == [f"{name}:{at}" for at in range(num_messages)], f"process {name} is out of order"
    return {"processes": num_processes, "messages_each": num_messages, "ordered_turns": len(turns)}


def _turn(store: SqlStore, text: str) -> None:
    conversation = store.load("shared")
    store.append("shared", [said(conversation, text)], expected_head=conversation.head)
    conversation = store.load("shared")
    store.append("shared", [replied(conversation, text)], expected_head=conversation.head)


def first_open_race(make_url: Callable[[int], str], *, num_stores: int, num_processes: int) -> dict[str, int]:
    """Processes open each fresh store at the same moment and write to it at once."""
    for number in range(num_stores):
        url, barrier = make_url(number), _FORK.Barrier(num_processes)

        def race(name: int, url: str = url, barrier: object = barrier) -> None:
            barrier.wait()  # type: ignore[attr-defined]
            with open_store(url) as store:
                while True:
                    conversation = store.load("raced")
                    message = said(conversation, f"{name}")
                    try:
                        store.append("raced", [message], expected_head=conversation.head)
                        return
                    except StaleHead:
                        continue

        _all(race, num_processes)
        with open_store(url) as store:
            names = sorted(int(turn.user) for turn in store.load("raced").turns())
        assert names == list(range(num_processes)), f"store {number}: {names}"
    return {"stores": num_stores, "processes": num_processes, "failures": 0}


def actions_once(url: str, effects: Path, *, num_actions: int, num_kills: int, seed: int) -> dict[str, int]:
    """Kill workers at random instants; every action's effect must be there exactly once.

    The receiver is a folder that refuses a key it has seen: what a real one does with an idempotency key.
    """
    with open_store(url) as store:
        for at in range(num_actions):
            conversation = store.load("orders")
            store.append(
                "orders",
                [said(conversation, f"order {at}")],
                expected_head=conversation.head,
                actions=[NewAction(id=f"refund {at}", name="refund", payload={"at": at})],
            )
    chance = random.Random(seed)
    completed: list[str] = []
    for number in range(num_kills):
        completed += _killed(
            lambda pipe, number=number: _work(url, effects, f"worker {number}", pipe),  # type: ignore[misc]
            chance,
        )
    with open_store(url) as store:
        deadline = time.monotonic() + 60
        while any(not _is_done(store, at) for at in range(num_actions)):
            assert time.monotonic() < deadline, "actions are left over"
            if not _work_once(store, effects, "last worker"):
                time.sleep(0.05)
        attempts = [
            action.attempt for at in range(num_actions) if (action := store.find_action(f"refund {at}"))
        ]
    done = sorted(path.name for path in effects.iterdir())
    assert done == sorted(key_of(f"refund {at}") for at in range(num_actions)), f"{len(done)} effects"
    return {
        "actions": num_actions,
        "kills": num_kills,
        "effects": len(done),
        "second_claims": sum(attempts) - num_actions,
    }


def _work(url: str, effects: Path, name: str, pipe: int) -> None:
    with open_store(url) as store:
        while True:
            if not _work_once(store, effects, name):
                time.sleep(0.01)
            os.write(pipe, b"." * (ACK_BYTES - 1) + b"\n")


def _work_once(store: SqlStore, effects: Path, name: str) -> bool:
    action = store.claim(name, lease_s=0.2)
    if action is None:
        return False
    try:
        os.close(os.open(effects / key_of(action.id), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        assert action.attempt > 1, "done before it was ever claimed"
    store.complete(action.id, worker=name, result=None)
    return True


def _is_done(store: SqlStore, at: int) -> bool:
    action = store.find_action(f"refund {at}")
    return action is not None and action.status == "done"


def _all(work: Callable[[int], None], num_processes: int) -> None:
    processes = [_FORK.Process(target=work, args=(name,)) for name in range(num_processes)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    codes = [process.exitcode for process in processes]
    assert codes == [0] * num_processes, f"exit codes {codes}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", help="an empty store; a fresh SQLite file if not given")
    parser.add_argument("--proof", choices=["kill", "many", "race", "actions"], action="append")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--messages", type=int, default=50)
    parser.add_argument("--stores", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = options.url or f"sqlite:///{folder / 'conversations.db'}"
        effects = folder / "effects"
        effects.mkdir()
        proofs: dict[str, Callable[[], dict[str, int]]] = {
            "kill": lambda: kill_writers(url, num_kills=options.kills, seed=options.seed),
            "many": lambda: many_processes(
                url, num_processes=options.processes, num_messages=options.messages
            ),
            "race": lambda: first_open_race(
                lambda number: f"sqlite:///{folder / f'fresh {number}.db'}",
                num_stores=options.stores,
                num_processes=options.processes,
            ),
            "actions": lambda: actions_once(
                url, effects, num_actions=30, num_kills=max(1, options.kills // 5), seed=options.seed
            ),
        }
        print(json.dumps({proof: proofs[proof]() for proof in options.proof or proofs}))


if __name__ == "__main__":
    main()
