"""`instructrec replay consent` and `record`: live conversations as transcripts, with leave and scrubbed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dialog.cli.verb import Run, verb


def register(group: typer.Typer) -> None:
    verb(group, "consent", data=False)(consent)
    verb(group, "record")(record)


def consent(
    run: Run,
    conversations: Annotated[list[str], typer.Argument(metavar="ID", help="Conversations.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who asked the user.")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="The user agrees no longer.")] = False,
) -> None:
    """Note that the users of conversations agree to their being recorded for replay."""
    from dialog.cli.stored import require_conversation
    from dialog.replay import recording

    if not by and not withdraw:
        raise typer.BadParameter("say who asked the user", param_hint="--by")
    with run.store() as store:
        for one in conversations:
            require_conversation(store, one)
        for one in conversations:
            if withdraw:
                recording.withdraw(store, one)
            else:
                recording.allow(store, one, by=by, now=datetime.now(UTC))


def record(
    run: Run,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.jsonl", help="A new file.")],
) -> None:
    """Write the conversations of the store that have consent as transcripts, personal data replaced."""
    from dialog.replay.recording import agreed, scrubbed

    if out.exists():
        raise typer.BadParameter(f"{str(out)!r} exists; name a new file", param_hint="--out")
    with run.store() as store:
        num_all = sum(1 for _ in store.ids())
        num = scrubbed(agreed(store), out)
    if run.json:
        run.show_json({"recorded": num, "left_out": num_all - num})
    else:
        run.show(f"{num} conversations recorded, {num_all - num} left out: no consent, or no answer in them")
    if not num:
        run.warn("no file was written; note consents with: instructrec replay consent ID --by NAME")
        raise typer.Exit(1)
