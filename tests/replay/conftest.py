"""Tiny metrics, transcripts in both languages, and bots written on the spot."""

import json
import os
import sys
from dataclasses import dataclass

import pytest

from dialog.cli.main import main
from tests.replay import tiny_metrics


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _own_home(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("INSTRUCTREC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _tiny_metrics(monkeypatch):
    for name, module in tiny_metrics.modules().items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def command(capfd):
    """`command("replay", ...)` in this process."""

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def talk(id, *exchanges, **fields):
    """A transcript line of (question, answer) pairs."""
    messages = []
    for question, answer in exchanges:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"id": id, "messages": messages, **fields}


TALKS = (
    talk(
        "en-1",
        ("How long may I return it?", "Within 30 days."),
        ("And the fee?", "It is free."),
        tags=["returns"],
    ),
    talk("zh-1", ("几天内可以退货？", "7 天内。"), ("运费谁出？", "我们出。"), tags=["退货"]),
    talk("en-2", ("When do you open?", "At 9."), tags=["hours"]),
)
ANSWERS = {
    question["content"]: answer["content"]
    for one in TALKS
    for question, answer in zip(one["messages"][::2], one["messages"][1::2], strict=True)
}


@pytest.fixture
def transcripts(tmp_path):
    """`transcripts(lines...)` writes a file; without lines, the talks above."""

    def write(*lines, name="talks.jsonl"):
        path = tmp_path / name
        shown = [
            line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines or TALKS
        ]
        path.write_text("".join(f"{line}\n" for line in shown), encoding="utf-8")
        return path

    return write


@pytest.fixture
def bot(tmp_path):
    """`bot("a", body)`: an agent file for a program that does `body` for each `turn`, and says `text`."""

    def make(name, body="text = ANSWERS[turn['messages'][-1]['content']]", *, timeout_s=30):
        program = tmp_path / f"{name}.py"
        program.write_text(
            "import json, os, sys\n"
            f"ANSWERS = {ANSWERS!r}\n"
            "for line in sys.stdin.buffer:\n"
            "    turn = json.loads(line)\n"
            "    text = None\n"
            + "".join(f"    {one}\n" for one in body.splitlines())
            + "    print(json.dumps({'text': text}), flush=True)\n",
            encoding="utf-8",
        )
        path = tmp_path / f"{name}.toml"
        command = json.dumps([sys.executable, str(program)])
        path.write_text(
            f'[agent]\nkind = "command"\ncommand = {command}\ntimeout_s = {timeout_s}\n', encoding="utf-8"
        )
        return path

    return make


def report(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def without_times(outcome):
    """A report but for what no two runs share."""
    metrics = {name: one for name, one in outcome["metrics"].items() if not name.endswith("_ms")}
    return {**outcome, "metrics": metrics}
