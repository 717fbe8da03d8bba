"""Converting transcripts: MB/s and peak memory of `data convert`, by format, on a generated log.

Each run is the real command in its own process; the processor time counts, not
the wall. Two sizes show whether memory grows with the file. `--gb 1` makes the larger
file a gigabyte.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import markdown, save

EN = (
    "Where is my parcel? It was due on 3 May.",
    "It left the depot this morning and will arrive tomorrow before noon.",
)
ZH = ("我的包裹在哪里？说好五月三日到的。", "包裹今早已离开仓库，预计明天中午前送达，请您留意短信。")
TURNS = 4
SMALLER = 0.1


def conversation(number: int) -> list[tuple[str, str]]:
    """(role, text) of a made-up conversation; English and Chinese by turns."""
    asked, told = EN if number % 2 else ZH
    pairs = (
        ("user", f"{asked} #{number}.{turn}") if side == 0 else ("assistant", told)
        for turn in range(TURNS)
        for side in (0, 1)
    )
    return list(pairs)


def openai(number: int) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": text} for role, text in conversation(number)]}


def sharegpt(number: int) -> dict[str, Any]:
    speakers = {"user": "human", "assistant": "gpt"}
    return {"conversations": [{"from": speakers[role], "value": text} for role, text in conversation(number)]}


def canonical(number: int) -> dict[str, Any]:
    return {"id": f"c-{number}", **openai(number)}


def json_lines(make: Any) -> Iterator[str]:
    return (json.dumps(make(number), ensure_ascii=False) + "\n" for number in count())


def json_array(make: Any) -> Iterator[str]:
    yield "["
    yield json.dumps(make(0), ensure_ascii=False)
    for number in count(1):
        yield ",\n" + json.dumps(make(number), ensure_ascii=False)


def table() -> Iterator[str]:
    yield "conversation,role,text\n"
    for number in count():
        yield "".join(f'c-{number},{role},"{text}"\n' for role, text in conversation(number))


def chat_log() -> Iterator[str]:
    names = {"user": "客户", "assistant": "Support Li"}
    for number in count():
        lines = (
            f"[2024-05-01 10:{minute:02}] {names[role]}: {text}\n"
            for minute, (role, text) in enumerate(conversation(number))
        )
        yield "-----\n" + "".join(lines)


def mails() -> Iterator[str]:
    for number in count():
        head = (
            f"Subject: Parcel {number}\nDate: Wed, 1 May 2024 10:00:00 +0000\n"
            "Content-Type: text/plain; charset=utf-8\n"
        )
        for place, (role, text) in enumerate(conversation(number)):
            answers = f"In-Reply-To: <{number}.{place - 1}@x.example>\n" if place else ""
            yield (
                f"From a@x.example Wed May  1 10:00:00 2024\nFrom: {role}@x.example\n"
                f"Message-ID: <{number}.{place}@x.example>\n{answers}{head}\n{text}\n\n"
            )


CASES: dict[str, Any] = {
    "canonical, lines": ("jsonl", lambda: json_lines(canonical)),
    "openai, lines": ("jsonl", lambda: json_lines(openai)),
    "openai, one array": ("json", lambda: json_array(openai)),
    "sharegpt, lines": ("jsonl", lambda: json_lines(sharegpt)),
    "table (csv)": ("csv", table),
    "chat log": ("txt", chat_log),
    "mails (mbox)": ("mbox", mails),
}


def generate(path: Path, pieces: Iterator[str], num_bytes: int, *, end: str = "") -> None:
    """Pieces until the file has about that many bytes."""
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for piece in pieces:
            written += len(piece.encode())
            file.write(piece)
            if written >= num_bytes:
                break
        file.write(end)


def measure(path: Path, out: Path) -> tuple[float, float]:
    """Processor seconds and peak MB of one conversion."""
    command = [sys.executable, "-m", "dialog", "data", "convert", str(path), "--out", str(out), "--quiet"]
    code = (
        "import resource, runpy, sys\n"
        "try:\n runpy.run_module('dialog', run_name='__main__')\n"
        "except SystemExit as stop:\n assert not stop.code, stop.code\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, *command[3:]], capture_output=True, text=True, check=True, env=os.environ
    )
    seconds, peak_mb = found.stdout.split()
    return float(seconds), float(peak_mb)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gb", type=float, default=0.1, help="size of the larger file in gigabytes")
    parser.add_argument("--case", choices=list(CASES), help="measure this one only, and save nothing")
    options = parser.parse_args()
    large = int(options.gb * 1e9)
    values: dict[str, Any] = {"bytes": large, "cases": {}}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        start_s, start_mb = _measured(Path(folder), "openai, lines", 1000)
        values["start"] = {"s": start_s, "mb": start_mb}
        for name in [options.case] if options.case else CASES:
            small_s, small_mb = _measured(Path(folder), name, int(large * SMALLER))
            large_s, large_mb = _measured(Path(folder), name, large)
            speed = large / 1e6 / (large_s - start_s)
            values["cases"][name] = {
                "mb_per_s": speed,
                "peak_mb_smaller": small_mb,
                "peak_mb": large_mb,
                "cpu_s": [small_s, large_s],
            }
            rows.append((name, f"{speed:.0f}", f"{small_mb:.0f}", f"{large_mb:.0f}"))
    header = (
        "from",
        "MB/s of processor time",
        f"peak MB, {large * SMALLER / 1e6:.0f} MB file",
        f"peak MB, {large / 1e6:.0f} MB file",
    )
    table_text = markdown(header, rows)
    if options.case:
        print(table_text)
    else:
        save("corpora", values, table=table_text)


def _measured(folder: Path, name: str, num_bytes: int) -> tuple[float, float]:
    suffix, pieces = CASES[name]
    path, out = folder / f"log.{suffix}", folder / "out.jsonl"
    generate(path, pieces(), num_bytes, end="]" if suffix == "json" else "")
    try:
        return measure(path, out)
    finally:
        path.unlink()
        out.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
