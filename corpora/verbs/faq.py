"""`instructrec data faq`: answered questions of logs, proposed for review."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


def register(app: typer.Typer) -> None:
    verb(app, "faq")(mine_faq)


def mine_faq(
    run: Run,
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.toml", help="The proposals, to be reviewed.")],
    min_count: Annotated[
        int, typer.Option("--min-count", metavar="N", min=1, help="Propose what N conversations asked.")
    ] = 2,
    similarity: Annotated[
        float,
        typer.Option("--similarity", min=0.5, max=1.0, help="From where two questions are one."),
    ] = 0.94,
    rules: RulesFile = None,
    replace: Replace = False,
    format: Format = None,
    skip_bad: SkipBad = 0,
    agents: Agents = None,
) -> None:
    """Gather questions and their best answers from logs, scrubbed and with links back, for review."""
    from corpora.faq.entries import propose
    from corpora.mining.logs import Log
    from corpora.mining.review import write_review

    sources = readings(inputs, format=format, skip_bad=skip_bad, options=read_options(run, agents=agents))
    log = Log(sources, detector_of(rules))
    embedder = embedder_of(run)
    proposed = propose(log, embedder, min_count=min_count, similarity=similarity)
    tell(run, log.skipped, log.notes)
    entries = proposed.entries
    about = {
        "conversations": log.num_conversations,
        "exchanges": proposed.num_exchanges,
        "asked_too_seldom": proposed.num_rare,
        "leaning_on_context": proposed.num_leaning,
        "answers_disagree": proposed.num_disagreeing,
        "embedder": embedder.fingerprint,
        "min_count": min_count,
        "similarity": similarity,
    }
    write_review(out, "entry", entries, about=about, replace=replace)
    num_conflicts = sum(entry.conflict is not None for entry in entries)
    num_personal = sum(entry.personal for entry in entries)
    if run.json:
        counts = {"entries": len(entries), "conflicts": num_conflicts, "personal": num_personal}
        run.show_json({"out": str(out), **about, **counts, "skipped": [str(one) for one in log.skipped]})
        return
    run.show(
        f"{len(entries)} entries from {proposed.num_exchanges} exchanges in {log.num_conversations} "
        f"conversations; {num_conflicts} with contradicting answers, {num_personal} with personal data"
    )
    run.remark(f"review {out}, set accept = true, then: instructrec data accept {out} --out faq.jsonl")
