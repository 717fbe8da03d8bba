"""`instructrec choices`: what ratings taught of the instruction variants, and how to forget it."""

from __future__ import annotations

from typing import Annotated

import typer

from dialog.cli import output
from dialog.cli.verb import Run, verb


def register(app: typer.Typer) -> None:
    verb(app)(choices)


def choices(
    run: Run,
    reset: Annotated[
        str | None, typer.Option("--reset", metavar="NAME", help="Forget what was learned of this choice.")
    ] = None,
) -> None:
    """Print how often each instruction variant is picked, and from what ratings."""
    with run.agent() as agent:
        if reset is not None:
            if reset not in agent.config.values.instructions.choices:
                raise typer.BadParameter(f"no choice {reset!r} in instructions.choices", param_hint="--reset")
            agent.reset_choice(reset)
            run.remark(f"forgot what was learned of {reset}")
        learned = agent.choices()
    if run.json:
        run.show_json([choice.model_dump(mode="json") for choice in learned])
        return
    rows = [
        (
            choice.name,
            f"{one.share:.0%}",
            f"mean {one.mean:.2f}",
            f"{one.num_ratings} ratings",
            " ".join(one.text.split()),
        )
        for choice in learned
        for one in choice.variants
    ]
    if rows:
        run.show(output.table(rows))
    else:
        run.remark("no variants are declared; list some under [instructions.choices] in instructrec.toml")
