"""Start-up: `import dialog`, `--help`, `chat` to the first prompt, and to the first word of a reply.

Everything is measured from outside, on the real command: processes by the
clock and by the processor time they used, `chat` in a pseudo-terminal. `cold`
is the first start after the models' files were dropped from the page cache
(where the system allows that), `warm` the median of the following ones. The
imports of torch and chromadb alone are measured in the same run, interleaved,
because the bar is what `chat` costs beyond them.

    python -m benchmarks.startup --runs 5
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pexpect

from benchmarks import markdown, save
from dialog import home

DOCUMENT = "# Returns\n\nYou can return any product free of charge within 30 days of delivery.\n"
QUESTION = "How long can I return a product free of charge?"
PROMPT = "› "
REPLY_BEGINS = "(?i)you can|any product|30 days|yes|within|the "
"""Words of the document or of an answer that neither the question nor the progress line has."""
TIMEOUT_S = 300


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and seconds of processor time, children included."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Talk:
    """One `chat`: to the prompt, and from the question to the reply's first word."""

    to_prompt: Cost
    to_first_word_s: float
    to_second_first_word_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5, help="warm starts of each kind")
    runs = parser.parse_args().runs
    with _own_home() as folder:
        cold = _talk(folder, drop=True)
        values = {"runs": runs, "cold": _flat(cold), **_warm(folder, runs)}
    save("startup", values, table=_table(values))


def _warm(folder: Path, runs: int) -> dict[str, object]:
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "import_dialog": [sys.executable, "-c", "import dialog"],
        "help": [sys.executable, "-m", "dialog", "--help"],
        "import_torch_chromadb": [sys.executable, "-c", "import torch, chromadb"],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    talks: list[Talk] = []
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].append(_cost(command))
        talks.append(_talk(folder))
    return {
        **{name: {"wall_s": _wall(found), "cpu_s": _cpu(found)} for name, found in costs.items()},
        "chat": {
            "wall_s": _wall([talk.to_prompt for talk in talks]),
            "cpu_s": _cpu([talk.to_prompt for talk in talks]),
            "to_first_word_s": median(talk.to_first_word_s for talk in talks),
            "to_second_first_word_s": median(talk.to_second_first_word_s for talk in talks),
        },
    }


def _talk(folder: Path, *, drop: bool = False) -> Talk:
    if drop:
        _drop_cached_files(home.cache_dir())
    started = time.perf_counter()
    child = pexpect.spawn(
        sys.executable,
        ["-m", "dialog", "chat"],
        cwd=folder,
        env=os.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        dimensions=(40, 100),
        timeout=TIMEOUT_S,
        encoding="utf-8",
    )
    child.delaybeforesend = None
    child.expect(PROMPT)
    assert child.pid is not None
    to_prompt_s = time.perf_counter() - started
    cpu_s = _process_cpu_s(child.pid)
    first = _ask(child)
    second = _ask(child)
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    if child.exitstatus != 0:
        raise SystemExit(f"chat ended with exit code {child.exitstatus}")
    return Talk(Cost(to_prompt_s, cpu_s), first, second)


def _ask(child: pexpect.spawn[str]) -> float:
    """From the question's Enter key to the first word of the reply."""
    started = time.perf_counter()
    child.send(f"{QUESTION}\r")
    child.expect(REPLY_BEGINS)
    taken = time.perf_counter() - started
    child.expect(PROMPT)
    return taken


def _cost(command: list[str]) -> Cost:
    before = _children_cpu_s()
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return Cost(time.perf_counter() - started, _children_cpu_s() - before)


def _children_cpu_s() -> float:
    """Processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _process_cpu_s(pid: int) -> float:
    """Processor time of a running process, all its threads; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _drop_cached_files(folder: Path) -> None:
    """Ask the system to forget the files' pages, so that the next read comes from the disk."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def _own_home() -> Iterator[Path]:
    """A home with one indexed document that shares the user's fetched models."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cache = home.cache_dir()
        cache.mkdir(parents=True, exist_ok=True)
        (folder / "home").mkdir()
        (folder / "home" / "cache").symlink_to(cache, target_is_directory=True)
        (folder / "returns.md").write_text(DOCUMENT, encoding="utf-8")
        os.environ["INSTRUCTREC_HOME"] = str(folder / "home")
        for arguments in (["models", "pull"], ["index", str(folder / "returns.md")]):
            subprocess.run([sys.executable, "-m", "dialog", *arguments, "--quiet"], check=True)
        yield folder


def _wall(costs: list[Cost]) -> float:
    return median(cost.wall_s for cost in costs)


def _cpu(costs: list[Cost]) -> float:
    return median(cost.cpu_s for cost in costs)


def _flat(talk: Talk) -> dict[str, float]:
    return {
        "wall_s": talk.to_prompt.wall_s,
        "cpu_s": talk.to_prompt.cpu_s,
        "to_first_word_s": talk.to_first_word_s,
        "to_second_first_word_s": talk.to_second_first_word_s,
    }


def _table(values: dict[str, object]) -> str:
    names = {
        "python": "an empty Python process",
        "import_dialog": "`import dialog`",
        "help": "`instructrec --help`",
        "import_torch_chromadb": "`import torch, chromadb` alone",
        "chat": "`chat` to the prompt, warm",
        "cold": "`chat` to the prompt, cold",
    }
    rows: list[tuple[object, ...]] = []
    for key, what in names.items():
        found = values[key]
        assert isinstance(found, dict)
        rows.append((what, found["wall_s"], found["cpu_s"]))
    for key, state in (("chat", "warm"), ("cold", "cold")):
        found = values[key]
        assert isinstance(found, dict)
        rows.append((f"question to first word of the first reply, {state}", found["to_first_word_s"], ""))
        rows.append(
            (f"question to first word of the second reply, {state}", found["to_second_first_word_s"], "")
        )
    return markdown(("what", "seconds", "of processor time"), rows)


if __name__ == "__main__":
    main()
