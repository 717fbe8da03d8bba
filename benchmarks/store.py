"""How fast is the record? Turn overhead as conversations grow, and appends against peers.

Turn overhead: a whole turn of `DialogAgent` with a model that answers at once
(store, tree, state, prompt, events, record), at 10 to 10,000 turns; and of it
the record alone (store, tree, state).
Appends: one message after the other, each acknowledged, by 1 and 8 processes,
each in a conversation of its own, into one database; interleaved with the
peers' stores in the same run.

    python -m venv peers && peers/bin/pip install openai-agents langgraph-checkpoint-sqlite
    python -m benchmarks.store --peers peers/bin/python [--postgres URL] [--kills 200]

All SQLite sides flush a write-ahead log once an acknowledged append: the peers
by synchronous=FULL, ours by `dialog.store.flush`. PostgreSQL flushes on commit by its own default.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import markdown, percentile, save
from dialog import DialogAgent, load_config
from dialog.conversation import Conversation
from dialog.entries import Replied, UserSaid, new_id
from dialog.state import fold, visible_turns_back
from dialog.store import open_store
from dialog.store.sql import SqlStore
from dialog.testing import ScriptedModel
from dialog.testing.making import reply

SIZES = (10, 100, 1_000, 10_000)
CASES = ((1, 0), (8, 0), (1, 2_000))  # writers, messages before
PROMPT_TURNS = 12
QUESTION, ANSWER = "Where is my parcel? 我的包裹在哪里？", "It arrives tomorrow before noon. 明天中午前送到。"


def turn_overhead(folder: Path, *, num_rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Milliseconds of a turn, by what and by turns so far; sizes interleaved."""
    config = load_config(overrides=[f"store.url=sqlite:///{folder / 'agent.db'}"], environment={})
    with open_store(f"sqlite:///{folder / 'turns.db'}") as store:
        for size in SIZES:
            store.add(_talked(size))
        record = _timed(lambda size: _turn(store, str(size)), num_rounds)
    model = ScriptedModel([ANSWER] * len(SIZES) * (num_rounds + 1))
    with open_store(config.store_url) as store, DialogAgent(config, model=model, store=store) as agent:
        for size in SIZES:
            store.add(_talked(size))
        whole = _timed(lambda size: agent.reply(QUESTION, conversation_id=str(size)), num_rounds)
    return {"whole turn": whole, "record alone": record}


def _timed(turn: Callable[[int], object], num_rounds: int) -> dict[str, dict[str, float]]:
    wall: dict[int, list[float]] = {size: [] for size in SIZES}
    processor: dict[int, list[float]] = {size: [] for size in SIZES}
    for size in SIZES:
        turn(size)
    for _ in range(num_rounds):
        for size in SIZES:
            began, began_cpu = time.perf_counter(), time.process_time()
            turn(size)
            wall[size].append((time.perf_counter() - began) * 1000)
            processor[size].append((time.process_time() - began_cpu) * 1000)
    return {
        str(size): {
            "p50_ms": statistics.median(wall[size]),
            "p95_ms": percentile(wall[size], 0.95),
            "cpu_p50_ms": statistics.median(processor[size]),
            "cpu_p95_ms": percentile(processor[size], 0.95),
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
        "p95_ms": statistics.median(percentile(one["latencies_ms"], 0.95) for one in rounds),
        "worst_ms": max(max(one["latencies_ms"]) for one in rounds),
        "cpu_ms": statistics.median(one["cpu_ms"] for one in rounds),
        "errors": sum(one["errors"] for one in rounds),
    }


def _proofs(num_kills: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.store_proofs", "--kills", str(num_kills)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _table(values: dict[str, Any]) -> str:
    """Both measurements as one page shows them."""
    parts = []
    for what, by_size in values["turn_overhead"].items():
        ratio = by_size["10000"]["cpu_p50_ms"] / by_size["100"]["cpu_p50_ms"]
        parts.append(_rows(f"{what}, turns so far", by_size))
        parts.append(f"Processor time at 10,000 turns / at 100 turns: {ratio:.2f}")
    parts.append(_rows("appends", values["appends"]))
    return "\n\n".join(parts)


def _rows(title: str, rows: dict[str, dict[str, float]]) -> str:
    columns = list(next(iter(rows.values())))
    return markdown((title, *columns), [(name, *(row[one] for one in columns)) for name, row in rows.items()])


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
        values: dict[str, Any] = {"turn_overhead": turn_overhead(folder, num_rounds=options.turns)}
        values["appends"] = appends(
            folder,
            peers=options.peers,
            postgres=options.postgres,
            num_rounds=options.rounds,
            num_appends=options.appends,
        )
    if options.kills:
        values["proofs"] = _proofs(options.kills)
    save("store", values, table=_table(values))
    if options.kills:
        print(f"\n{json.dumps(values['proofs'])}")


if __name__ == "__main__":
    main()
