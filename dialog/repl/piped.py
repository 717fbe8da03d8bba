"""Piped input: every message answered in one conversation, no colour, then the end.

    run_piped(agent, ["Where is my parcel?", "And the fee?"], sys.stdout, conversation_id="c-42")

Replies go to `out`, one blank line between them; notices and errors go to
`err`. A failed turn does not stop the ones after it and makes the exit code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from dialog.errors import DialogError
from dialog.events import ActionProposed, Finished, Notice, TextDelta
from dialog.guard.terminal import TerminalFilter, safe_text
from dialog.repl.commands import call, error_line, is_command, unescape
from dialog.repl.context import CommandError, Leave, Play, ReplSession, new_conversation_id
from dialog.repl.labels import proposal_notice
from dialog.repl.line import is_open, unquoted
from dialog.repl.player import Stream

if TYPE_CHECKING:
    from dialog.agent import DialogAgent


def run_piped(
    agent: DialogAgent,
    lines: Iterable[str] | None = None,
    out: TextIO | None = None,
    *,
    conversation_id: str | None = None,
    err: TextIO | None = None,
) -> int:
    """Answer each line; blank ones are passed over, `\"\"\"` joins several, commands work as in the REPL.

    Args:
        lines: with or without their line ends; stdin if None.

    Returns:
        0, or the exit code of the worst turn; 130 if interrupted.
    """
    out, err = out or sys.stdout, err or sys.stderr
    piped = _Piped(agent, out, err, conversation_id or new_conversation_id())
    try:
        for message in messages(sys.stdin if lines is None else lines):
            if not piped.answer(message):
                break
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _forget_stdout(out)
    return piped.exit_code


def messages(lines: Iterable[str]) -> Iterator[str]:
    """The messages of piped lines: blank lines dropped, quoted lines joined; the last may lack its end."""
    quoted = ""
    for line in lines:
        text = (quoted + line).rstrip("\r\n") if not quoted else quoted + line.rstrip("\r\n")
        if is_open(text):
            quoted = text + "\n"
            continue
        quoted = ""
        if message := unquoted(text):
            yield message
    if message := unquoted(quoted):
        yield message


class _Piped:
    """The conversation of one pipe."""

    def __init__(self, agent: DialogAgent, out: TextIO, err: TextIO, conversation_id: str) -> None:
        console = Console(
            file=out, width=100, force_terminal=False, no_color=True, highlight=False, markup=False
        )
        self._session = ReplSession(agent=agent, conversation_id=conversation_id, console=console)
        self._out = out
        self._err = err
        self._num_replies = 0
        self.exit_code = 0

    def answer(self, message: str) -> bool:
        """Answer one message; False if it ends the session."""
        try:
            if not is_command(message):
                session = self._session
                self._play(session.agent.stream(unescape(message), conversation_id=session.conversation_id))
                return True
            action = call(self._session, message)
            if isinstance(action, Play):
                self._play(action.stream)
            return not isinstance(action, Leave)
        except BrokenPipeError:
            raise
        except Exception as error:
            self._tell(error_line(error, doing=message.split()[0] if is_command(message) else "the turn"))
            self.exit_code = max(self.exit_code, _exit_code(error))
            return True

    def _play(self, stream: Stream) -> None:
        if self._num_replies:
            self._out.write("\n")
        self._num_replies += 1
        shown = TerminalFilter()
        for event in stream:
            match event:
                case TextDelta(text=text):
                    self._out.write(shown.feed(text))
                    self._out.flush()
                case Notice(text=text):
                    self._tell(text)
                case ActionProposed():
                    if told := proposal_notice(event):
                        self._tell(told)
                case Finished(reply=reply):
                    self._session.last = reply
                case _:
                    pass
        self._out.write("\n")
        self._out.flush()

    def _tell(self, text: str) -> None:
        self._err.write(safe_text(text) + "\n")
        self._err.flush()


def _exit_code(error: Exception) -> int:
    if isinstance(error, DialogError):
        return error.exit_code
    return 2 if isinstance(error, CommandError | ValueError) else 3


def _forget_stdout(out: TextIO) -> None:
    """The reader is gone: let the interpreter's last flush go nowhere instead of failing."""
    if out is sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
