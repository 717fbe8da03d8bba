"""`instructrec data convert`: transcripts from any format to any other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corpora.verbs.options import (
    Agents,
    Column,
    ColumnsFile,
    Format,
    Inputs,
    NewAfter,
    SkipBad,
    read_options,
    readings,
    tell,
)
from dialog.cli.verb import Run, verb


def register(app: typer.Typer) -> None:
    verb(app, "convert")(convert_files)
    verb(app, "formats")(list_formats)


def convert_files(
    run: Run,
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write; - is standard output.")],
    format: Format = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="F", help="Format to write; by default our own, a table for .csv and .tsv."
        ),
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Write no field but those the format names.")] = False,
    skip_bad: SkipBad = 0,
    agents: Agents = None,
    columns: ColumnsFile = None,
    column: Column = None,
    new_after: NewAfter = None,
) -> None:
    """Read files of one format, or several, and write them as one."""
    from corpora.converting import STDOUT, convert
    from corpora.writers import format_for, writer_of
    from dialog.cli.progress import progress

    try:
        writer = writer_of(to or format_for(out), bare=bare)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--to") from error
    if run.json and out == STDOUT:
        raise typer.BadParameter("--json and --out - both want standard output; name a file")
    options = read_options(run, agents=agents, columns_file=columns, column=column, new_after=new_after)
    sources = readings(inputs, format=format, skip_bad=skip_bad, options=options)
    with progress("converting", shown=run.shows_progress) as advance:
        report = convert(sources, writer, out, advance=advance)
    tell(run, report.skipped, report.notes)
    if run.json:
        run.show_json(
            {
                "out": str(out),
                "format": writer.name,
                "inputs": report.formats,
                "conversations": report.num_written,
                "messages": report.num_messages,
                "skipped": [str(error) for error in report.skipped],
                "notes": dict(sorted(report.notes.items())),
            }
        )
        return
    told = ", ".join(f"{path} ({name})" for path, name in report.formats.items())
    run.remark(f"{report.num_written} conversations from {told} in {out}")


def list_formats(run: Run) -> None:
    """List the formats that can be read and written, and what each cannot hold."""
    from corpora.readers import names, reader_of
    from corpora.writers import BUILT_IN, writer_of
    from dialog.cli.output import table

    rows = []
    for name in sorted({*names(), *BUILT_IN}):
        try:
            loses = list(reader_of(name).loses) if name in names() else []
        except ValueError as error:
            run.warn(str(error))
            continue
        written = name in BUILT_IN
        rows.append(
            {
                "name": name,
                "reads": name in names(),
                "writes": written,
                "reading_loses": loses,
                "writing_loses": list(writer_of(name).loses) if written else [],
            }
        )
    if run.json:
        run.show_json(rows)
        return
    run.show(
        table(
            [
                (str(row["name"]), "read" if row["reads"] else "", "written" if row["writes"] else "")
                for row in rows
            ]
        )
    )
