"""Public logs from raw to fit for training: convert, scrub, check, split, inspect, with what each found.

    python -m benchmarks.chain

The real commands, each in a process of its own, on tweetsumm, star, crosswoz and
abcd of `../shared/data`. Seconds are processor time, that of starting the command
included; MB/s leaves it out (it is that of looking at one line), and is given where the
work takes a tenth of a second. MB are of the transcripts as `convert` wrote them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import DATA, markdown, save

SETS = {
    "tweetsumm": ("tweetsumm/train.jsonl.gz", "tweetsumm/valid.jsonl.gz"),
    "star": ("star/dialogues_train.jsonl.gz", "star/dialogues_dev.jsonl.gz"),
    "crosswoz": ("crosswoz/val.jsonl.gz",),
    "abcd": ("abcd/abcd_sample.json", "abcd/abcd_extra.jsonl"),
}
VERBS = ("convert", "scrub", "check", "split", "inspect")


@dataclass(frozen=True)
class Ran:
    """A command's JSON and its processor seconds."""

    told: Any
    cpu_s: float


def run(*arguments: object, codes: tuple[int, ...] = (0,)) -> Ran:
    """`instructrec data ARGUMENTS --json`."""
    command = [sys.executable, "-m", "dialog", "data", *map(str, arguments), "--json", "--quiet"]
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode in codes, (command, process.returncode)
        out.seek(0)
        lines = out.read().splitlines()
    return Ran(json.loads(lines[0]) if lines else None, usage.ru_utime + usage.ru_stime)


def chain(folder: Path, inputs: list[Path]) -> dict[str, Ran]:
    """The five verbs one after the other; several files are joined with `mix`, which renames."""
    raw = folder / "raw.jsonl"
    ran = {"convert": run("convert", *inputs, "--out", raw)}
    clean, report = folder / "clean.jsonl", folder / "check.json"
    ran["scrub"] = run("scrub", raw, "--out", clean)
    ran["check"] = run("check", clean, "--report", report, codes=(0, 1))
    ran["split"] = run("split", clean, "--out", folder / "parts")
    ran["inspect"] = run("inspect", folder / "parts" / "train.jsonl")
    return ran


def main() -> None:
    started = _start()
    rows, values = [], {}
    for name, files in SETS.items():
        inputs = [DATA / one for one in files]
        if not all(path.is_file() for path in inputs):
            print(f"{name} is missing; its rows are left out")
            continue
        with tempfile.TemporaryDirectory() as folder:
            ran = chain(Path(folder), inputs)
            megabytes = (Path(folder) / "raw.jsonl").stat().st_size / 1e6
        told = ran["convert"].told
        seconds = {verb: ran[verb].cpu_s for verb in VERBS}
        replaced = {one["kind"]: 0 for one in ran["scrub"].told["rules"]}
        for one in ran["scrub"].told["rules"]:
            replaced[one["kind"]] += one["count"]
        findings = _findings(ran["check"].told)
        parts = {part: one["conversations"] for part, one in ran["split"].told["parts"].items()}
        values[name] = {
            "conversations": told["conversations"],
            "messages": told["messages"],
            "mb": megabytes,
            "seconds": seconds,
            "replaced": replaced,
            "findings": findings,
            "parts": parts,
        }
        rows.append(
            (
                name,
                told["conversations"],
                told["messages"],
                f"{megabytes:.2f}",
                *(_speed(megabytes, seconds[verb], started) for verb in VERBS),
                _listed(replaced),
                _listed(findings),
                "/".join(map(str, parts.values())),
            )
        )
    header = ("set", "conversations", "messages", "MB", *(f"{verb}, s (MB/s)" for verb in VERBS))
    table = markdown((*header, "replaced", "findings", "train/val/test"), rows)
    save("chain", values, table=table)


def _start() -> float:
    """Processor seconds of a command with next to nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.jsonl"
        path.write_text('{"id": "a", "messages": [{"role": "user", "content": "Hi"}]}\n', encoding="utf-8")
        return run("inspect", path).cpu_s


def _speed(megabytes: float, cpu_s: float, started: float) -> str:
    work_s = cpu_s - started
    return f"{cpu_s:.1f}" + (f" ({megabytes / work_s:.1f})" if work_s >= 0.1 else "")


def _findings(told: Any) -> dict[str, int]:
    return {f"{one['severity']} {one['check']}": one["count"] for one in told["checks"]}


def _listed(counts: dict[str, int]) -> str:
    return (
        ", ".join(f"{name} {num}" for name, num in sorted(counts.items(), key=lambda one: -one[1])) or "none"
    )


if __name__ == "__main__":
    main()
