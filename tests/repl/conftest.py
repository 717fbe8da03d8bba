"""Keys typed into a pipe, a screen read back: the REPL as its user meets it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyte
import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from dialog import DialogAgent, load_config
from dialog.events import Event
from dialog.repl.session import run_repl
from dialog.testing import FixedRetriever, ScriptedModel

LEAVE = "\x04"
INTERRUPT = "\x03"


class EventStream:
    """A turn of given events; `cancelled` is set by whoever stops it."""

    def __init__(self, events: Callable[[EventStream], Iterator[Event]]) -> None:
        self.cancelled = threading.Event()
        self._events = events

    def __iter__(self) -> Iterator[Event]:
        return self._events(self)

    def cancel(self) -> None:
        self.cancelled.set()


class Terminal:
    """A screen of `columns` by `rows` with everything that scrolled off it."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], None]) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.5)
        self.screen.write_process_input = answer  # where the cursor is, when it is asked for
        self.raw = ""
        self.output = Vt100_Output(
            self, lambda: Size(rows=self.screen.lines, columns=self.screen.columns), term="xterm"
        )
        self._stream = pyte.Stream(self.screen)
        self._steps: list[tuple[str, Callable[[], None]]] = []
        self._num_seen = 0

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError("no file")

    def write(self, text: str) -> int:
        self.raw += text
        self._stream.feed(text)
        while self._steps and (at := self.raw.find(self._steps[0][0], self._num_seen)) >= 0:
            self._num_seen = at + len(self._steps[0][0])
            self._steps.pop(0)[1]()
        return len(text)

    def flush(self) -> None:
        pass

    def when(self, text: str, act: Callable[[], None]) -> None:
        """Do something once, as soon as `text` has been written; later calls wait for earlier ones."""
        if not self._steps:
            self._num_seen = len(self.raw)
        self._steps.append((text, act))

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)

    @property
    def lines(self) -> list[str]:
        """All lines from the first on, also those above the screen."""
        above = ["".join(row[x].data for x in range(self.screen.columns)) for row in self.screen.history.top]
        return [line.rstrip() for line in (*above, *self.screen.display)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Talk:
    """A person at a terminal, with an agent behind it."""

    def __init__(self, agent: DialogAgent, keys: PipeInput, terminal: Terminal, folder: Path) -> None:
        self.agent = agent
        self.keys = keys
        self.terminal = terminal
        self.history_path = folder / "typed_lines"

    def __call__(self, typed: str, **options: Any) -> str:
        """Type keys, leave, and return everything that was on the screen."""
        self.keys.send_text(typed + LEAVE)
        return self.without_leaving(**options)

    def step_by_step(self, *steps: tuple[str, str], **options: Any) -> str:
        """Type the keys of each step once its text has been written since the step before."""
        for text, typed in steps:
            self.terminal.when(text, lambda typed=typed: self.keys.send_text(typed))
        return self.without_leaving(**options)

    def without_leaving(self, **options: Any) -> str:
        """Talk until somebody else's keys end it."""
        code = run_repl(
            self.agent,
            input=self.keys,
            output=self.terminal.output,
            history_path=self.history_path,
            **options,
        )
        assert code == 0
        return self.terminal.text


def _send(keys: PipeInput, text: str) -> None:
    with suppress(OSError):  # closed: the terminal went away
        keys.send_text(text)


StartTalk = Callable[..., Talk]


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe:
        yield pipe


@pytest.fixture
def start(tmp_path: Path, keys: PipeInput, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartTalk]:
    """`start(script, columns=80, rows=24)`: a `Talk` over a scripted model."""
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)
    opened: list[DialogAgent] = []

    def make(
        script: Any = ("Yes.",) * 20,
        *,
        columns: int = 80,
        rows: int = 24,
        retriever: FixedRetriever | None = None,
        overrides: Sequence[str] = (),
        model: Any = None,
    ) -> Talk:
        config = load_config(overrides=overrides, environment={})
        agent = DialogAgent(config, model=model or ScriptedModel(script), retriever=retriever)
        opened.append(agent)
        return Talk(agent, keys, Terminal(columns, rows, lambda text: _send(keys, text)), tmp_path)

    yield make
    for agent in opened:
        agent.close()
