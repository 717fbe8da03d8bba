"""Plays one turn on the terminal while the keyboard is watched.

The turn runs in a thread of its own; this thread shows its events and reads
keys. Ctrl-C cancels the turn and waits for the record of what was said so far;
a second Ctrl-C stops waiting. Keys typed meanwhile are kept for the next prompt.

    reply = Player(console, input=input, output=output).play(agent.stream(text, conversation_id=id)).reply
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import clear_typeahead, store_typeahead
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output
from rich.console import Console

from dialog.events import (
    ActionProposed,
    Event,
    Finished,
    Notice,
    PromptReady,
    Retrieved,
    SkillCalled,
    TextDelta,
)
from dialog.guard.terminal import TerminalFilter
from dialog.repl.labels import proposal_notice
from dialog.repl.markdown import MarkdownStream
from dialog.repl.screen import plain
from dialog.values import Reply, SearchResult


class Stream(Protocol):
    """What a turn looks like from here: events, and a way to stop it from another thread."""

    def __iter__(self) -> Iterator[Event]: ...

    def cancel(self) -> None: ...


@dataclass(frozen=True)
class Played:
    """What was seen of a turn; `reply` is None if it was given up before it was recorded."""

    reply: Reply | None = None
    search: SearchResult | None = None
    notices: tuple[str, ...] = ()


class _Failed:
    """The turn's thread ended with an error."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Player:
    """Shows turns one after another on one terminal."""

    def __init__(self, console: Console, *, input: Input, output: Output) -> None:
        self._console = console
        self._input = input
        self._output = output

    def play(self, stream: Stream) -> Played:
        """Show a turn to its end. Raises whatever the turn raised."""
        return asyncio.run(_Playing(self._console, self._input, self._output, stream).run())


class _Playing:
    """One turn being played."""

    def __init__(self, console: Console, input: Input, output: Output, stream: Stream) -> None:
        self._console = console
        self._input = input
        self._output = output
        self._stream = stream
        self._queue: asyncio.Queue[Event | _Failed | None] = asyncio.Queue()
        self._num_interrupts = 0
        self._page = MarkdownStream(console)
        self._filter = TerminalFilter()
        self._status = ""
        self._seen = Played()

    async def run(self) -> Played:
        loop = asyncio.get_running_loop()
        worker = threading.Thread(target=self._work, args=(loop,), name="turn", daemon=True)
        with self._keyboard(loop):
            worker.start()
            try:
                while (item := await self._queue.get()) is not None:
                    if isinstance(item, _Failed):
                        raise item.error
                    self._show(item)
            finally:
                self._clear_status()
                self._page.finish()
        return self._seen

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        def put(item: Event | _Failed | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._queue.put_nowait, item)

        try:
            for event in self._stream:
                put(event)
        except BaseException as error:
            put(_Failed(error))
        put(None)

    # what is shown

    def _show(self, event: Event) -> None:
        match event:
            case TextDelta(text=text):
                self._clear_status()
                self._page.feed(self._filter.feed(text))
            case Retrieved(result=result):
                self._seen = Played(search=result)
                self._set_status(f"{len(result.passages)} passages, reading …")
            case SkillCalled(skill=skill):
                self._set_status(f"{skill} …")
            case PromptReady(fit=fit):
                self._set_status(f"{fit.used_tokens} tokens, thinking …")
            case Notice(text=text):
                self._note(text)
            case ActionProposed():
                if told := proposal_notice(event):
                    self._note(told)
            case Finished(reply=reply):
                self._seen = Played(reply=reply, search=self._seen.search, notices=self._seen.notices)

    def _note(self, text: str) -> None:
        self._seen = Played(search=self._seen.search, notices=(*self._seen.notices, text))

    def _set_status(self, text: str) -> None:
        self._clear_status()
        if len(text) < self._console.width and not self._page.is_mid_line:
            self._status = text
            self._console.print(plain(text, "dim"), end="")

    def _clear_status(self) -> None:
        if self._status:
            self._status = ""
            self._output.write_raw("\r")
            self._output.erase_end_of_line()
            self._output.flush()

    # the keyboard

    @contextmanager
    def _keyboard(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        self._output.enable_bracketed_paste()
        self._output.flush()
        with self._input.raw_mode(), self._input.attach(self._read_keys), self._signals(loop):
            yield
        self._output.disable_bracketed_paste()
        self._output.flush()

    @contextmanager
    def _signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        try:
            loop.add_signal_handler(signal.SIGINT, self._interrupt)
        except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            yield
            return
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def _read_keys(self) -> None:
        for press in self._input.read_keys():
            if press.key in (Keys.ControlC, Keys.SIGINT):
                clear_typeahead(self._input)
                self._interrupt()
            elif press.key is not Keys.CPRResponse:
                store_typeahead(self._input, [press])
        if self._input.closed and not self._num_interrupts:
            self._interrupt()

    def _interrupt(self) -> None:
        self._num_interrupts += 1
        if self._num_interrupts == 1:
            self._set_status("stopping …")
            self._stream.cancel()
        else:
            self._queue.put_nowait(None)
