"""`instructrec data inspect`: browse conversations, and see what a model would be trained on.

On a terminal one turns them over; where only the output is one (the input comes
through a pipe) a pager shows them; else they are printed as plain text.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from itertools import islice
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from corpora.verbs.options import Agents, Format, Inputs, SkipBad, read_options, readings, tell
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from corpora.reading import Reading
    from corpora.views import Shown
    from dialog.values import Transcript

_PAGER = "less -R"
_CONTEXT_TOKENS = 2048


class Spoken(StrEnum):
    """A language of conversations."""

    zh = "zh"
    en = "en"


def register(app: typer.Typer) -> None:
    verb(app, "inspect")(inspect_files)


def inspect_files(
    run: Run,
    inputs: Inputs,
    search: Annotated[str, typer.Option("--search", metavar="TEXT", help="Only those that say this.")] = "",
    tags: Annotated[
        list[str] | None, typer.Option("--tag", metavar="TAG", help="Only those with this tag; repeatable.")
    ] = None,
    language: Annotated[
        Spoken | None, typer.Option("--language", help="Only those whose user speaks this.")
    ] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="Only this conversation; repeatable.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = None,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Show what the model would be trained on, token by token.")
    ] = False,
    format: Format = None,
    skip_bad: SkipBad = 0,
    agents: Agents = None,
) -> None:
    """Browse conversations; `--tokens` shows them as the configured model would be trained on them."""
    from corpora.filtering import Wanted

    sources = readings(inputs, format=format, skip_bad=skip_bad, options=read_options(run, agents=agents))
    wanted = Wanted(search, tuple(tags or ()), language.value if language else None, tuple(ids or ()))
    found = islice((one for one in _all(sources) if wanted.holds(one)), limit)
    view = _token_view(run) if tokens else None
    if run.json:
        for transcript in found:
            run.show_json(_as_json(transcript, view(transcript) if view else None))
    else:
        _show(run, found, view)
    for source in sources:
        tell(run, [bad.error for bad in source.skipped], source.notes)


def _all(sources: list[Reading]) -> Iterator[Transcript]:
    for source in sources:
        with source:
            yield from source


def _token_view(run: Run) -> Callable[[Transcript], Shown]:
    from corpora.views import view_of
    from dialog.engine.open_tokenizer import open_tokenizer

    view, config = view_of("trained"), run.config().values.model
    tokenizer = open_tokenizer(config, progress=run.remark if run.shows_progress else None)
    limit_tokens = config.context_tokens or _CONTEXT_TOKENS
    return lambda transcript: view(transcript, tokenizer, limit_tokens=limit_tokens)


def _as_json(transcript: Transcript, shown: Shown | None) -> dict[str, Any]:
    if shown is None:
        return transcript.model_dump(mode="json", exclude_defaults=True)
    sequences = [
        [
            {"text": one.text, "kind": one.kind, "weight": one.weight, "num_tokens": one.num_tokens}
            for one in sequence
        ]
        for sequence in shown.sequences
    ]
    return {"id": transcript.id, "sequences": sequences, "notes": list(shown.notes)}


def _show(run: Run, found: Iterator[Transcript], view: Callable[[Transcript], Shown] | None) -> None:
    from rich.console import Console

    from corpora import showing
    from corpora.browsing import browse

    def shown(transcript: Transcript) -> Text:
        return showing.tokens(transcript, view(transcript)) if view else showing.conversation(transcript)

    def console(file: IO[str], *, coloured: bool) -> Console:
        return Console(
            file=file, force_terminal=coloured, no_color=not coloured, highlight=False, soft_wrap=True
        )

    if not sys.stdout.isatty():
        plain = console(sys.stdout, coloured=False)
        for transcript in found:
            plain.print(shown(transcript))
    elif sys.stdin.isatty():
        screen = console(sys.stdout, coloured=True)
        browse(found, show=lambda one: screen.print(shown(one)), ask=input, tell=run.remark)
    else:
        with _pager() as pipe:
            screen = console(pipe, coloured=True)
            for transcript in found:
                screen.print(shown(transcript))


@contextmanager
def _pager() -> Iterator[IO[str]]:
    """Where to write for the user's pager; whoever leaves it early wants no more."""
    command = shlex.split(os.environ.get("PAGER") or _PAGER)
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8")
    except OSError:
        yield sys.stdout
        return
    assert process.stdin is not None
    try:
        with suppress(BrokenPipeError):
            yield process.stdin
    finally:
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
