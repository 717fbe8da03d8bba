"""Arguments that several verbs of `instructrec data` take, and what they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli.verb import Run

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from corpora.formats import ReadOptions
    from corpora.reading import Reading
    from dialog.errors import CorpusError

Inputs = Annotated[list[Path], typer.Argument(metavar="IN...", help="Files to read; - is standard input.")]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="F", help="What the files are in; recognised if not given."),
]
SkipBad = Annotated[
    int,
    typer.Option("--skip-bad", metavar="N", min=0, help="Skip up to N bad conversations; they are listed."),
]
Agents = Annotated[
    list[str] | None,
    typer.Option("--agent", metavar="NAME", help="A name, address or mail domain of your side; repeatable."),
]


def readings(
    inputs: Sequence[Path],
    *,
    format: str | None = None,
    skip_bad: int = 0,
    options: ReadOptions | None = None,
) -> list[Reading]:
    """One `Reading` a file.

    Raises:
        typer.BadParameter: there is no such format.
    """
    from corpora.reading import Reading

    if format is not None:
        from corpora.readers import reader_of

        try:
            reader_of(format)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    return [Reading(path, format=format, skip_bad=skip_bad, options=options) for path in inputs]


def tell(run: Run, skipped: Iterable[CorpusError], notes: Counter[str]) -> None:
    """What was skipped and left behind, on stderr: skipped conversations even with `--quiet`."""
    for error in skipped:
        run.warn(f"skipped {error}")
    for note, times in sorted(notes.items()):
        run.remark(f"{note} ({times} times)" if times > 1 else note)
