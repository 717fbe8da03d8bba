"""The REPL: read a line, run it or have it answered, show what came of it, again.

    run_repl(agent, conversation_id="c-42")

Input and output are prompt_toolkit's and may be given, so that a test types
keys into a pipe and reads a screen. Input that is not a terminal is for
`run_piped`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit.input import Input, create_input
from prompt_toolkit.output import Output, create_output

from dialog import home
from dialog.repl.commands import dispatch, is_command, say_error, unescape
from dialog.repl.context import Leave, Play, Prefill, ReplSession, new_conversation_id
from dialog.repl.line import LineReader
from dialog.repl.piped import run_piped
from dialog.repl.player import Played, Player, Stream
from dialog.repl.reopen import Reopened
from dialog.repl.screen import console_on
from dialog.repl.verbs.talk import resume
from dialog.repl.view import footer, notice

if TYPE_CHECKING:
    from dialog.agent import DialogAgent

HISTORY_FILE = "typed_lines"


def run_repl(
    agent: DialogAgent,
    *,
    conversation_id: str | None = None,
    input: Input | None = None,
    output: Output | None = None,
    history_path: Path | None = None,
    show_tracebacks: bool = False,
) -> int:
    """Talk until the user leaves.

    Args:
        conversation_id: goes on in this conversation; a new one if None.
        history_path: file of typed lines; by default under the data directory.

    Returns:
        The exit code, 0: what goes wrong in between is told there.
    """
    keys, screen = input or create_input(), output or create_output()
    reopened = Reopened(agent)
    session = ReplSession(
        agent=agent,
        conversation_id=conversation_id or new_conversation_id(),
        console=console_on(screen),
        reopen=reopened.open,
        show_tracebacks=show_tracebacks,
        show_timings=agent.config.values.repl.show_timings,
    )
    reader = LineReader(
        session, input=keys, output=screen, history_path=history_path or home.data_dir() / HISTORY_FILE
    )
    with reopened:
        player = Player(session.console, input=keys, output=screen)
        _Repl(session, reader, player).run(is_resumed=conversation_id is not None)
    return 0


class _Repl:
    """The loop."""

    def __init__(self, session: ReplSession, reader: LineReader, player: Player) -> None:
        self._session = session
        self._reader = reader
        self._player = player
        self._prefill = ""

    def run(self, *, is_resumed: bool) -> None:
        self._greet(is_resumed=is_resumed)
        while True:
            prefill, self._prefill = self._prefill, ""
            try:
                line = self._reader.read(prefill=prefill)
            except KeyboardInterrupt:
                self._session.say("Ctrl-D or /exit leaves")
                continue
            except EOFError:
                break
            if line and not self._take(line):
                break
        if self._session.last is not None:
            self._session.say(f"kept as {self._session.conversation_id}; instructrec chat --continue goes on")

    def _take(self, line: str) -> bool:
        """Act on one line; False ends the session."""
        if not is_command(line):
            self._answer(unescape(line))
            return True
        match dispatch(self._session, line):
            case Leave():
                return False
            case Play(stream=stream):
                self._play(stream)
            case Prefill(text=text):
                self._prefill = text
            case None:
                pass
        return True

    def _answer(self, text: str) -> None:
        session = self._session
        try:
            stream = session.agent.stream(
                text, conversation_id=session.conversation_id, sampling=session.sampling
            )
        except Exception as error:
            say_error(session, error, doing="the turn")
            return
        self._play(stream)

    def _play(self, stream: Stream) -> None:
        session = self._session
        try:
            played = self._player.play(stream)
        except KeyboardInterrupt:
            session.say("stopped")
            return
        except Exception as error:
            say_error(session, error, doing="the turn")
            return
        self._conclude(played)

    def _conclude(self, played: Played) -> None:
        session = self._session
        if played.reply is None:
            session.say("no longer waiting; the turn ends by itself", style="yellow")
            return
        session.last, session.search = played.reply, played.search
        for text in dict.fromkeys((*played.notices, *played.reply.notices)):
            session.show(notice(text))
        session.show(footer(played.reply, show_timings=session.show_timings), "")

    def _greet(self, *, is_resumed: bool) -> None:
        session = self._session
        session.say("instructrec · /help lists the commands, Ctrl-D leaves")
        if not is_resumed:
            return
        try:
            resume(session, session.conversation_id)
        except Exception as error:
            say_error(session, error, doing="resuming")


__all__ = ["run_piped", "run_repl"]
