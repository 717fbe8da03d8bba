"""`instructrec data intents`: what customers want, proposed from logs for a person to accept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpora.verbs.options import (
    Agents,
    Format,
    Inputs,
    Replace,
    RulesFile,
    SkipBad,
    detector_of,
    embedder_of,
    read_options,
    readings,
    tell,
)
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from corpora.mining.intents import Found


def register(app: typer.Typer) -> None:
    verb(app, "intents")(mine_intents)


def mine_intents(
    run: Run,
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.toml", help="The proposals, to be reviewed.")],
    min_count: Annotated[
        int, typer.Option("--min-count", metavar="N", min=1, help="Propose what N conversations began with.")
    ] = 5,
    resolution: Annotated[
        float,
        typer.Option("--resolution", min=0.1, max=100.0, help="Higher: more and finer intents."),
    ] = 4.0,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another order of work.")] = 0,
    rules: RulesFile = None,
    replace: Replace = False,
    format: Format = None,
    skip_bad: SkipBad = 0,
    agents: Agents = None,
) -> None:
    """Group the opening turns of logs into intents, named and counted, with examples and a usual reply."""
    from corpora.mining.intents import Mining, mine
    from corpora.mining.logs import Log
    from corpora.mining.review import write_review

    sources = readings(inputs, format=format, skip_bad=skip_bad, options=read_options(run, agents=agents))
    log = Log(sources, detector_of(rules))
    embedder = embedder_of(run)
    found = mine(log, embedder, Mining(min_count=min_count, resolution=resolution, seed=seed))
    tell(run, log.skipped, log.notes)
    about = {
        "conversations": log.num_conversations,
        "openings": found.num_openings,
        "without_opening": found.num_without,
        "in_small_groups": found.num_rare,
        "embedder": embedder.fingerprint,
        "min_count": min_count,
        "resolution": resolution,
        "seed": seed,
    }
    write_review(out, "intent", found.intents, about=about, replace=replace)
    if run.json:
        run.show_json(
            {
                "out": str(out),
                **about,
                "intents": [{"name": one.name, "count": one.count} for one in found.intents],
                "skipped": [str(error) for error in log.skipped],
            }
        )
        return
    run.show(_told(found))
    run.remark(
        f"{len(found.intents)} intents in {out}; set accept = true on what is right, "
        f"then: instructrec data accept {out} --out texts.jsonl"
    )


def _told(found: Found) -> str:
    from dialog.cli.output import table

    rows = [
        (one.name, str(one.count), f"{one.share:.1%}", one.example[0].text[:60].replace("\n", " "))
        for one in found.intents
    ]
    left = f"{found.num_without} conversations without an opening, {found.num_rare} openings in small groups"
    return f"{table(rows)}\n{left}" if rows else f"no intent; {left}"
