"""How fast is the record? Turn overhead as conversations grow, and appends against peers.

Turn overhead: what the dialogue manager does beside the model (store, tree,
state, history for the prompt) for one turn, at 10 to 10,000 turns.
Appends: one message after the other, each acknowledged, by 1 and 8 processes,
each in a conversation of its own, into one database; interleaved with the
peers' stores in the same run.

    python -m venv peers && peers/bin/pip install openai-agents langgraph-checkpoint-sqlite
    python -m benchmarks.store --peers peers/bin/python [--postgres URL] [--kills 200]

All SQLite sides use a write-ahead log with synchronous=FULL: one flush an
acknowledged append. PostgreSQL flushes on commit by its own default.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from dialog.conversation import Conversation
from dialog.entries import Replied, UserSaid, new_id
from dialog.state import fold, visible_turns_back
from dialog.store import open_store
from dialog.store.sql import SqlStore
from dialog.testing.making import reply

RESULTS = Path(__file__).parent / "results" / "store.json"
SIZES = (10, 100, 1_000, 10_000)
CASES = ((1, 0), (8, 0), (1, 2_000))  # writers, messages before
PROMPT_TURNS = 12
QUESTION, ANSWER = "Where is my parcel? 我的包裹在哪里？", "It arrives tomorrow before noon. 明天中午前送到。"


def turn_overhead(url: str, *, num_rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of a turn without the model, p50 and p95, by conversation length; sizes interleaved."""
    wall: dict[int, list[float]] = {size: [] for size in SIZES}
    processor: dict[int, list[float]] = {size: [] for size in SIZES}
    with open_store(url) as store:
        for size in SIZES:
            store.add(_talked(size))
            _turn(store, str(size))
        for _ in range(num_rounds):
            for size in SIZES:
                began, began_cpu = time.perf_counter(), time.process_time()
                _turn(store, str(size))
                wall[size].append((time.perf_counter() - began) * 1000)
                processor[size].append((time.process_time() - began_cpu) * 1000)
    return {
        str(size): {
            "p50_ms": statistics.median(wall[size]),
            "p95_ms": _p95(wall[size]),
            "cpu_p50_ms": statistics.median(processor[size]),
            "cpu_p95_ms": _p95(processor[size]),
        }
        for size in SIZES
    }


def _turn(store: SqlStore, id: str) -> None:
    """All a turn does but think: record the words, look back, record the reply."""
    with store.hold(id):
        before = store.load(id)
        said = UserSaid(id=new_id(), parent=before.head_id, time=datetime.now(UTC), text=QUESTION)
        store.append(id, [said], expected_head=before.head)
        asked = store.load(id)
        fold(asked)
        list(islice(visible_turns_back(asked), PROMPT_TURNS))
        entry = Replied(id=new_id(), parent=asked.head_id, time=datetime.now(UTC), reply=reply(ANSWER))
        store.append(id, [entry], expected_head=asked.head)
        fold(store.load(id))


def _talked(num_turns: int) -> Conversation:
    conversation = Conversation.empty(str(num_turns))
    now = datetime.now(UTC)
    for _ in range(num_turns):
        said = UserSaid(id=new_id(), parent=conversation.head_id, time=now, text=QUESTION)
        answered = Replied(id=new_id(), parent=said.id, time=now, reply=reply(ANSWER))
        conversation = conversation.append(said, answered)
    return conversation


def appends(
    folder: Path, *, peers: str | None, postgres: str | None, num_rounds: int, num_appends: int
) -> dict[str, dict[str, float]]:
    """Rate and latency by library and number of writers; medians over interleaved rounds."""
    sides = [("ours, SQLite", sys.executable, "ours", f"sqlite:///{folder / 'ours.db'}")]
    if postgres:
        sides.append(("ours, PostgreSQL", sys.executable, "ours", postgres))
    if peers:
        sides.append(("openai-agents SQLiteSession", peers, "openai-agents", str(folder / "agents.db")))
        sides.append(("LangGraph SqliteSaver", peers, "langgraph", str(folder / "langgraph.db")))
    measured: dict[str, list[dict[str, Any]]] = {}
    for _ in range(num_rounds):
        for num_writers, num_before in CASES:
            for name, python, kind, where in sides:
                options = ["--writers", str(num_writers), "--before", str(num_before)]
                found = _appends(python, kind, where, *options, "--appends", str(num_appends))
                case = f"{num_writers} writers, {num_before} messages before"
                measured.setdefault(f"{case}: {name}", []).append(found)
    return {name: _summary(rounds) for name, rounds in sorted(measured.items())}


def _appends(python: str, kind: str, where: str, *options: str) -> dict[str, Any]:
    script = str(Path(__file__).with_name("store_appends.py"))
    command = [python, script, kind, where, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _summary(rounds: list[dict[str, Any]]) -> dict[str, float]:
    return {
        "appends_per_s": statistics.median(len(one["latencies_ms"]) / one["seconds"] for one in rounds),
        "p50_ms": statistics.median(statistics.median(one["latencies_ms"]) for one in rounds),
        "p95_ms": statistics.median(_p95(one["latencies_ms"]) for one in rounds),
        "cpu_ms": statistics.median(one["cpu_ms"] for one in rounds),
        "errors": sum(one["errors"] for one in rounds),
    }


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _proofs(num_kills: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.store_proofs", "--kills", str(num_kills)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _print(title: str, rows: dict[str, dict[str, float]]) -> None:
    columns = list(next(iter(rows.values())))
    print(f"\n| {title} | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(f'{row[column]:.2f}' for column in columns)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peers", help="a Python that has openai-agents and langgraph-checkpoint-sqlite")
    parser.add_argument("--postgres", help="SQLAlchemy URL of an empty PostgreSQL database")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--appends", type=int, default=100)
    parser.add_argument("--turns", type=int, default=200, help="measured turns a size")
    parser.add_argument(
        "--kills", type=int, default=0, help="also run benchmarks.store_proofs with this many"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overhead = turn_overhead(f"sqlite:///{folder / 'turns.db'}", num_rounds=options.turns)
        rates = appends(
            folder,
            peers=options.peers,
            postgres=options.postgres,
            num_rounds=options.rounds,
            num_appends=options.appends,
        )
    result = {"turn_overhead": overhead, "appends": rates}
    if options.kills:
        result["proofs"] = _proofs(options.kills)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _print("turns so far", overhead)
    for key in ("p50_ms", "cpu_p50_ms"):
        print(f"\n{key} at 10,000 turns / at 100 turns: {overhead['10000'][key] / overhead['100'][key]:.2f}")
    _print("appends", rates)
    if options.kills:
        print(f"\n{json.dumps(result['proofs'])}")


if __name__ == "__main__":
    main()
