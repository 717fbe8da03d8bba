"""One side of `benchmarks/store.py`: writers that append messages one by one, each acknowledged.

Runs under the interpreter of the library it measures, so it imports nothing but
that library and the standard one. Prints JSON: seconds, latencies in ms, errors.

    python benchmarks/store_appends.py ours FILE-OR-URL --writers 8 --appends 100
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import time
import uuid
from collections.abc import Callable

TEXT = "您好，我的包裹三天没有更新了。 My parcel has not moved for three days. " * 3
Writer = Callable[[str, str, int], tuple[list[float], int]]


def ours(url: str, conversation_id: str, num_appends: int) -> tuple[list[float], int]:
    """`SqlStore.append`: write-ahead log, synchronous=FULL (one flush an append), searchable at once."""
    from datetime import UTC, datetime

    from dialog.entries import UserSaid, new_id
    from dialog.store import open_store

    latencies = []
    with open_store(url) as store:
        head = None
        for _ in range(num_appends + 1):
            began = time.perf_counter()
            parent = head.head if head else None
            said = UserSaid(id=new_id(), parent=parent, time=datetime.now(UTC), text=TEXT)
            head = store.append(conversation_id, [said], expected_head=head)
            latencies.append((time.perf_counter() - began) * 1000)
    return latencies[1:], 0


def openai_agents(path: str, conversation_id: str, num_appends: int) -> tuple[list[float], int]:
    """`SQLiteSession.add_items`: write-ahead log, synchronous=FULL (SQLite's default)."""
    from agents import SQLiteSession

    async def write() -> tuple[list[float], int]:
        session = SQLiteSession(conversation_id, path)
        latencies, errors = [], 0
        for _ in range(num_appends + 1):
            began = time.perf_counter()
            try:
                await session.add_items([{"role": "user", "content": TEXT}])
                latencies.append((time.perf_counter() - began) * 1000)
            except Exception:
                errors += 1
        return latencies[1:], errors

    return asyncio.run(write())


def langgraph(path: str, conversation_id: str, num_appends: int) -> tuple[list[float], int]:
    """`SqliteSaver.put` of a state with one more message each time: write-ahead log, synchronous=FULL."""
    from langgraph.checkpoint.base import empty_checkpoint
    from langgraph.checkpoint.sqlite import SqliteSaver

    latencies, errors = [], 0
    with SqliteSaver.from_conn_string(path) as saver:
        messages: list[dict[str, str]] = []
        config = {"configurable": {"thread_id": conversation_id, "checkpoint_ns": ""}}
        for at in range(num_appends + 1):
            messages.append({"role": "user", "content": TEXT})
            checkpoint = empty_checkpoint()
            checkpoint["channel_values"] = {"messages": list(messages)}
            checkpoint["channel_versions"] = {"messages": at + 1}
            began = time.perf_counter()
            try:
                config = saver.put(config, checkpoint, {"step": at}, {"messages": at + 1})
                latencies.append((time.perf_counter() - began) * 1000)
            except Exception:
                errors += 1
    return latencies[1:], errors


WRITERS: dict[str, Writer] = {"ours": ours, "openai-agents": openai_agents, "langgraph": langgraph}


def _run(kind: str, where: str, num_appends: int, ready: object, results: object) -> None:
    WRITERS[kind](where, f"warm {uuid.uuid4()}", 1)
    ready.wait()  # type: ignore[attr-defined]
    began = time.time()
    latencies, errors = WRITERS[kind](where, f"conversation {uuid.uuid4()}", num_appends)
    results.put((began, time.time(), latencies, errors))  # type: ignore[attr-defined]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kind", choices=list(WRITERS))
    parser.add_argument("where")
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--appends", type=int, default=100)
    options = parser.parse_args()
    WRITERS[options.kind](options.where, f"first {uuid.uuid4()}", 1)
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(options.writers), context.Queue()
    arguments = (options.kind, options.where, options.appends, ready, results)
    processes = [context.Process(target=_run, args=arguments) for _ in range(options.writers)]
    for process in processes:
        process.start()
    found = [results.get(timeout=300) for _ in processes]
    for process in processes:
        process.join()
    seconds = max(end for _, end, _, _ in found) - min(began for began, _, _, _ in found)
    latencies = [latency for _, _, own, _ in found for latency in own]
    errors = sum(one for _, _, _, one in found)
    print(json.dumps({"seconds": seconds, "latencies_ms": latencies, "errors": errors}))


if __name__ == "__main__":
    main()
