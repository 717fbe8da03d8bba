"""`instructrec data split`: transcripts into train, validation and test."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpora.verbs.options import Agents, Format, Inputs, SkipBad, read_options, readings, tell
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from corpora.parts import Parts


class Division(StrEnum):
    """What stays together."""

    conversation = "conversation"
    customer = "customer"
    time = "time"


def register(app: typer.Typer) -> None:
    verb(app, "split")(split_files)


def split_files(
    run: Run,
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the parts' files go.")],
    shares: Annotated[
        str, typer.Option("--parts", metavar="NAME=SHARE,...", help="The parts and their shares.")
    ] = "train=0.8,val=0.1,test=0.1",
    by: Annotated[
        Division, typer.Option("--by", help="What stays in one part; with time, the oldest are in the first.")
    ] = Division.conversation,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another division.")] = 0,
    stratify: Annotated[
        str | None,
        typer.Option(
            "--stratify", metavar="PREFIX", help="Spread tags that begin so evenly; '' takes all tags."
        ),
    ] = None,
    format: Format = None,
    skip_bad: SkipBad = 0,
    agents: Agents = None,
) -> None:
    """Divide transcripts by hashes of their ids: the same parts in every order and every run."""
    from corpora.splitting import split
    from dialog.cli.progress import progress

    sources = readings(inputs, format=format, skip_bad=skip_bad, options=read_options(run, agents=agents))
    parts = _parts(shares)
    if by is Division.time and stratify is not None:
        raise typer.BadParameter("parts by time cannot be stratified; divide by conversation or by customer")
    with progress("splitting", shown=run.shows_progress) as advance:
        report = split(sources, parts, out, by=by.value, seed=str(seed), stratify=stratify, advance=advance)
    tell(run, report.skipped, report.notes)
    empty = [name for name in parts.names if not report.counts[name]]
    for name in empty:
        run.warn(f"part {name!r} is empty: there are too few conversations for its share")
    if run.json:
        run.show_json(
            {
                "parts": {
                    name: {"file": str(path), "conversations": report.counts[name]}
                    for name, path in report.files.items()
                },
                "by": by.value,
                "seed": seed,
                "skipped": [str(error) for error in report.skipped],
                "notes": dict(sorted(report.notes.items())),
            }
        )
        return
    for name, path in report.files.items():
        run.remark(f"{report.counts[name]} conversations in {path}")


def _parts(shares: str) -> Parts:
    from corpora.parts import Parts

    found: dict[str, float] = {}
    for one in shares.split(","):
        name, _, share = one.strip().partition("=")
        try:
            number = float(share)
        except ValueError:
            raise typer.BadParameter(f"{one!r}: give NAME=SHARE", param_hint="--parts") from None
        if name in found or not name or not all(part.isalnum() or part in "-_" for part in name):
            raise typer.BadParameter(
                f"{name!r}: give each part a name of its own, of letters", param_hint="--parts"
            )
        found[name] = number
    try:
        return Parts(found)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--parts") from error
