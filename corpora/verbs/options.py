"""Arguments that several verbs of `instructrec data` take, and what they lead to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli import output
from dialog.cli.verb import Run

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence

    from corpora.formats import ReadOptions
    from corpora.reading import Reading
    from corpora.scrub.detect import Detector
    from dialog.errors import CorpusError
    from dialog.protocols import Embedder

Inputs = Annotated[
    list[Path], typer.Argument(metavar="IN", help="Files to read (a folder for .eml); - is stdin.")
]
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


ColumnsFile = Annotated[
    Path | None,
    typer.Option(
        "--columns", metavar="FILE.toml", help="Which columns of a table hold what: [columns], [roles]."
    ),
]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="PART=NAME", help="One column: speaker=Von; repeatable."),
]
NewAfter = Annotated[
    float | None,
    typer.Option("--new-after", metavar="MINUTES", min=0, help="A silence this long divides a chat log."),
]


RulesFile = Annotated[Path | None, typer.Option("--rules", metavar="FILE.toml", help="As for data scrub.")]
Replace = Annotated[bool, typer.Option("--replace", help="Write over a file of proposals that is there.")]


def detector_of(rules: Path | None) -> Detector:
    """What finds personal data, with the team's own rules."""
    from corpora.scrub.detect import Detector
    from corpora.scrub.patterns import read_rules

    return Detector(read_rules(rules) if rules is not None else None)


def embedder_of(run: Run) -> Embedder:
    """The embedder of the configuration."""
    from dialog.knowledge.embed import open_embedder

    return open_embedder(run.config().values.knowledge.embedder)


def read_options(
    run: Run,
    *,
    agents: Sequence[str] | None = None,
    columns_file: Path | None = None,
    column: Sequence[str] | None = None,
    new_after: float | None = None,
) -> ReadOptions:
    """What the readers are told; on a terminal they may ask.

    Raises:
        CorpusError: the file of columns cannot be read.
        typer.BadParameter: a column is not given as PART=NAME.
    """
    from dataclasses import fields, replace

    from corpora.columns import read_columns
    from corpora.formats import Columns, ReadOptions

    columns = read_columns(columns_file) if columns_file else None
    parts = {one.name for one in fields(Columns)} - {"roles"}
    for given in column or ():
        part, equals, name = given.partition("=")
        if not equals or part not in parts:
            raise typer.BadParameter(
                f"{given!r}: give PART=NAME, PART one of {', '.join(sorted(parts))}", param_hint="--column"
            )
        columns = replace(columns or Columns(), **{part: name})  # type: ignore[arg-type]  # roles are left out
    talks = sys.stdin.isatty() and sys.stderr.isatty() and not run.quiet and not run.json
    return ReadOptions(
        agents=tuple(agents or ()),
        columns=columns,
        new_after_s=None if new_after is None else 60 * new_after,
        ask=_ask if talks else None,
    )


def _ask(question: str) -> str:
    sys.stderr.write(output.clean(question))
    sys.stderr.flush()
    return sys.stdin.readline()


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
