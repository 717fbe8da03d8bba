"""`instructrec data accept`: what a person accepted of proposals, as files that other verbs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dialog.cli.verb import Run, verb


def register(app: typer.Typer) -> None:
    verb(app)(accept)


def accept(
    run: Run,
    review: Annotated[
        Path, typer.Argument(metavar="FILE.toml", help="Reviewed proposals of data faq or data intents.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE.jsonl", help="The FAQ for instructrec index, or the labelled texts."
        ),
    ],
    replies: Annotated[
        Path | None,
        typer.Option("--replies", metavar="FILE.jsonl", help="Of intents: their replies, as an FAQ."),
    ] = None,
) -> None:
    """Write what was accepted: an FAQ to index, or an intent's texts with its name as their label."""
    from corpora.mining.review import kind_of

    if kind_of(review, ("entry", "intent")) == "entry":
        if replies is not None:
            raise typer.BadParameter("--replies is for the proposals of data intents")
        _accept_faq(run, review, out)
    else:
        _accept_intents(run, review, out, replies)


def _accept_faq(run: Run, review: Path, out: Path) -> None:
    from corpora.faq.entries import Entry, write_faq
    from corpora.mining.review import read_review

    entries = read_review(review, "entry", Entry)
    accepted = [entry for entry in entries if entry.accept]
    unsettled = sum(entry.conflict is not None or entry.personal for entry in accepted)
    if unsettled:
        run.warn(f"{unsettled} accepted entries are personal or contradicted; reword and unmark them")
        raise typer.Exit(1)
    write_faq(out, accepted)
    _tell(run, out, accepted=len(accepted), proposed=len(entries))


def _accept_intents(run: Run, review: Path, out: Path, replies: Path | None) -> None:
    from corpora.mining.accepted import write_replies, write_texts
    from corpora.mining.intents import Intent
    from corpora.mining.review import read_review

    intents = read_review(review, "intent", Intent)
    accepted = [intent for intent in intents if intent.accept]
    write_texts(out, accepted)
    if replies is not None:
        personal = write_replies(replies, accepted)
        if personal:
            run.warn(f"replies with a placeholder were left out: {', '.join(personal)}; reword them")
    _tell(run, out, accepted=len(accepted), proposed=len(intents))


def _tell(run: Run, out: Path, *, accepted: int, proposed: int) -> None:
    if run.json:
        run.show_json({"out": str(out), "accepted": accepted, "proposed": proposed})
    else:
        run.remark(f"{accepted} of {proposed} proposals in {out}")
