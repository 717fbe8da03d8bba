"""One side of `benchmarks/store.py`: writers that append messages one by one, each acknowledged.

Runs under the interpreter of the library it measures, so it imports nothing but
that library and the standard one. Prints JSON: seconds from the first measured
append to the last, latencies and processor time an append in ms, errors.

    python benchmarks/store_appends.py ours FILE-OR-URL --writers 8 --appends 100
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

TEXT = "您好，我的包裹三天没有更新了。 My parcel has not moved for three days. " * 3
Append = Callable[[], Awaitable[None]]


class Measured:
    """Appends timed one by one; the first, which opens what is opened late, is not counted.

    All writers begin together, once they are `ready`.
    """

    def __init__(self, ready: Any = None) -> None:
        self.ready = ready
        self.latencies_ms: list[float] = []
        self.errors = 0
        self.began = self.ended = self.cpu_ms = 0.0

    async def run(self, append: Append, num_appends: int) -> Measured:
        await append()
        if self.ready is not None:
            self.ready.wait()
        self.began, began_cpu = time.time(), time.process_time()
        for _ in range(num_appends):
            began = time.perf_counter()
            try:
                await append()
                self.latencies_ms.append((time.perf_counter() - began) * 1000)
            except Exception:
                self.errors += 1
        self.ended = time.time()
        self.cpu_ms = (time.process_time() - began_cpu) * 1000 / num_appends
        return self


async def ours(url: str, id: str, num_appends: int, num_before: int, ready: Any = None) -> Measured:
    """`SqlStore.append`: write-ahead log, flushed once an append before it is acknowledged."""
    from datetime import UTC, datetime

    from dialog.entries import UserSaid, new_id
    from dialog.store import open_store

    with open_store(url) as store:
        earlier: list[UserSaid] = []
        for _ in range(num_before):
            parent = earlier[-1].id if earlier else None
            earlier.append(UserSaid(id=new_id(), parent=parent, time=datetime.now(UTC), text=TEXT))
        head = store.append(id, earlier, expected_head=None) if earlier else None

        async def append() -> None:
            nonlocal head
            parent = head.head if head else None
            said = UserSaid(id=new_id(), parent=parent, time=datetime.now(UTC), text=TEXT)
            head = store.append(id, [said], expected_head=head)

        return await Measured(ready).run(append, num_appends)


async def openai_agents(path: str, id: str, num_appends: int, num_before: int, ready: Any = None) -> Measured:
    """`SQLiteSession.add_items`: write-ahead log, synchronous=FULL (SQLite's default)."""
    from agents import SQLiteSession

    session = SQLiteSession(id, path)
    if num_before:
        await session.add_items([{"role": "user", "content": TEXT}] * num_before)

    async def append() -> None:
        await session.add_items([{"role": "user", "content": TEXT}])

    return await Measured(ready).run(append, num_appends)


async def langgraph(path: str, id: str, num_appends: int, num_before: int, ready: Any = None) -> Measured:
    """`SqliteSaver.put` of a state with one more message each time: write-ahead log, synchronous=FULL."""
    from langgraph.checkpoint.base import empty_checkpoint
    from langgraph.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(path) as saver:
        messages = [{"role": "user", "content": TEXT} for _ in range(num_before)]
        config = {"configurable": {"thread_id": id, "checkpoint_ns": ""}}

        async def append() -> None:
            nonlocal config
            messages.append({"role": "user", "content": TEXT})
            checkpoint = empty_checkpoint()
            checkpoint["channel_values"] = {"messages": list(messages)}
            checkpoint["channel_versions"] = {"messages": len(messages)}
            config = saver.put(config, checkpoint, {"step": len(messages)}, {"messages": len(messages)})

        return await Measured(ready).run(append, num_appends)


SIDES = {"ours": ours, "openai-agents": openai_agents, "langgraph": langgraph}


def _write(kind: str, where: str, num_appends: int, num_before: int, ready: Any, results: Any) -> None:
    work = SIDES[kind](where, f"conversation {uuid.uuid4()}", num_appends, num_before, ready)
    measured = vars(asyncio.run(work))
    del measured["ready"]
    results.put(measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=list(SIDES))
    parser.add_argument("where")
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--appends", type=int, default=100)
    parser.add_argument("--before", type=int, default=0, help="messages each conversation has already")
    options = parser.parse_args()
    asyncio.run(SIDES[options.kind](options.where, f"first {uuid.uuid4()}", 1, 0))
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(options.writers), context.Queue()
    arguments = (options.kind, options.where, options.appends, options.before, ready, results)
    processes = [context.Process(target=_write, args=arguments) for _ in range(options.writers)]
    for process in processes:
        process.start()
    found = [results.get(timeout=300) for _ in processes]
    for process in processes:
        process.join()
    result = {
        "seconds": max(one["ended"] for one in found) - min(one["began"] for one in found),
        "latencies_ms": [latency for one in found for latency in one["latencies_ms"]],
        "cpu_ms": statistics.median(one["cpu_ms"] for one in found),
        "errors": sum(one["errors"] for one in found),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
