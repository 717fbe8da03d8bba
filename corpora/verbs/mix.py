"""`instructrec data mix`: several files into one, in given shares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpora.verbs.options import Format, SkipBad, readings, tell
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from corpora.mixing import Ingredient


def register(app: typer.Typer) -> None:
    verb(app, "mix")(mix_files)


def mix_files(
    run: Run,
    inputs: Annotated[
        list[str], typer.Argument(metavar="IN[=WEIGHT]", help="Files and their weights; 1 if not given.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write; - is standard output.")],
    size: Annotated[
        int | None, typer.Option("--size", metavar="N", min=1, help="Conversations to write; by default all.")
    ] = None,
    repeat: Annotated[
        bool, typer.Option("--repeat", help="Use conversations again where a source has too few.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another choice.")] = 0,
    format: Format = None,
    skip_bad: SkipBad = 0,
) -> None:
    """Join files in the shares of their weights; each conversation keeps its source in `meta.mixed_from`."""
    from corpora.converting import STDOUT
    from corpora.mixing import mix
    from dialog.cli.progress import progress

    if run.json and out == STDOUT:
        raise typer.BadParameter("--json and --out - both want standard output; name a file")
    with progress("mixing", shown=run.shows_progress) as advance:
        report = mix(
            _ingredients(inputs, format, skip_bad),
            out,
            size=size,
            repeat=repeat,
            seed=str(seed),
            advance=advance,
        )
    tell(run, report.skipped, report.notes)
    if run.json:
        run.show_json(
            {
                "out": str(out),
                "conversations": sum(report.counts.values()),
                "sources": {
                    name: {"taken": taken, "available": report.available[name]}
                    for name, taken in report.counts.items()
                },
                "seed": seed,
                "skipped": [str(error) for error in report.skipped],
                "notes": dict(sorted(report.notes.items())),
            }
        )
        return
    for name, taken in report.counts.items():
        run.remark(f"{taken} of {report.available[name]} conversations of {name}")


def _ingredients(inputs: list[str], format: str | None, skip_bad: int) -> list[Ingredient]:
    from corpora.mixing import Ingredient

    found: list[Ingredient] = []
    for given in inputs:
        path, weight = _weighed(given)
        (reading,) = readings([path], format=format, skip_bad=skip_bad)
        taken = {one.name for one in found}
        stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
        name = next(
            name
            for number in range(1, len(inputs) + 1)
            if (name := stem if number == 1 else f"{stem}-{number}") not in taken
        )
        found.append(Ingredient(reading, name, weight))
    return found


def _weighed(given: str) -> tuple[Path, float]:
    """A file and its weight; a name that holds an equals sign of its own is taken whole."""
    path, equals, weight = given.rpartition("=")
    if not equals or Path(given).exists():
        return Path(given), 1.0
    try:
        number = float(weight)
    except ValueError:
        raise typer.BadParameter(f"{given!r}: give FILE=WEIGHT") from None
    if not 0 < number < float("inf"):
        raise typer.BadParameter(f"{given!r}: a weight is positive")
    return Path(path), number
