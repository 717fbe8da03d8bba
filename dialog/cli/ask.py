"""`instructrec ask`: one turn, or one reply for each line of a file."""

from __future__ import annotations

import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli.verb import Run, verb
from dialog.errors import DialogError

if TYPE_CHECKING:
    from dialog.agent import DialogAgent
    from dialog.streams import TurnStream


EXIT_CODES = {"error": 3, "interrupted": 130}


def register(app: typer.Typer) -> None:
    verb(app)(ask)


def ask(
    run: Run,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT|-", help="What to say; - reads it from stdin.")
    ] = None,
    conversation: Annotated[
        str | None,
        typer.Option("--conversation", metavar="ID", help="Go on with this conversation; else a new one."),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="FILE.jsonl", help='Answer each {"id", "messages"} of a file.'),
    ] = None,
) -> None:
    """Ask one question, or a file of them."""
    from dialog.cli.arguments import exactly_one, spoken

    exactly_one({"TEXT": text, "--batch": batch})
    if batch is not None:
        if conversation is not None:
            raise typer.BadParameter("a batch line carries its own history; leave --conversation out")
        _ask_batch(run, batch)
        return
    assert text is not None
    said = spoken(text, name="TEXT")
    with run.agent() as agent:
        answer(run, agent, said, conversation_id=conversation or f"ask-{uuid.uuid4().hex[:12]}")


def answer(run: Run, agent: DialogAgent, said: str, *, conversation_id: str) -> None:
    """Print the reply to one message; leaves with the exit code that the reply means.

    Ctrl-C ends the reply where it is, and what was said is kept; a second one
    ends the program.
    """
    with agent.stream(said, conversation_id=conversation_id) as stream, _interrupt_cancels(stream):
        if run.json:
            for _ in stream:
                pass
        else:
            _show(stream)
    reply = stream.reply
    assert reply is not None, "a stream ends with Finished or raises"
    if run.json:
        run.show_json(reply)
    else:
        from dialog.citations import place

        for number, citation in enumerate(reply.citations, start=1):
            where = f"{citation.source}:{citation.char_start}-{citation.char_end}{place(citation)}"
            run.remark(f"[{number}] {citation.title} ({where})")
    if reply.finish_reason in EXIT_CODES:
        raise typer.Exit(EXIT_CODES[reply.finish_reason])


def _show(stream: TurnStream) -> None:
    """The reply's text as it comes, on stdout; notices on stderr."""
    from dialog.cli import output
    from dialog.events import Notice, TextDelta
    from dialog.guard.terminal import TerminalFilter

    screen = TerminalFilter()
    to_terminal = sys.stdout.isatty()
    for event in stream:
        match event:
            case TextDelta(text=text):
                sys.stdout.write(screen.feed(text) if to_terminal else text)
                sys.stdout.flush()
            case Notice(text=text):
                output.remark(text)
            case _:
                pass
    print()


@contextmanager
def _interrupt_cancels(stream: TurnStream) -> Iterator[None]:
    def cancel(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stream.cancel()

    before = signal.signal(signal.SIGINT, cancel)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ask_batch(run: Run, path: str) -> None:
    from dialog.cli.scratch import begin, scratch_agent
    from dialog.cli.transcripts import read_batch

    transcripts = read_batch(path)
    with scratch_agent(run) as agent:
        for transcript in transcripts:
            *before, last = transcript.messages
            begin(agent.store, transcript.id, before, path=path)
            try:
                reply = agent.reply(last.content, conversation_id=transcript.id)
            except DialogError:
                run.warn(f"{path}: {transcript.id!r} could not be answered; the lines before it are")
                raise
            if run.json:
                run.show_json(reply)
            else:
                run.show(reply.text)
