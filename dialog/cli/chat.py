"""`instructrec chat`: the REPL on a terminal; with input piped in, one answer a line."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli.verb import Run, setting, verb
from dialog.errors import DialogError

if TYPE_CHECKING:
    from dialog.agent import DialogAgent


def register(app: typer.Typer) -> None:
    verb(app, data=False)(chat)


def chat(
    run: Run,
    go_on: Annotated[
        bool, typer.Option("--continue", help="Go on with the most recent conversation.")
    ] = False,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Go on with this conversation.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Answer with this model.")
    ] = None,
    adapter: Annotated[
        str | None, typer.Option("--adapter", metavar="DIR", help="Put this adapter on the model.")
    ] = None,
    skill: Annotated[
        str | None, typer.Option("--skill", metavar="NAME", help="Start with this skill.")
    ] = None,
) -> None:
    """Talk to the agent. Piped input is answered line by line."""
    from dialog.errors import ConfigError

    if go_on and resume is not None:
        raise ConfigError("--continue and --resume contradict each other; give one of them")
    flags = {"model.name": model, "model.adapter": adapter, "skills.default": skill}
    with run.agent(*(setting(key, value) for key, value in flags.items() if value is not None)) as agent:
        from dialog.cli.stored import most_recent, require_conversation
        from dialog.cli.transcripts import stdin_lines
        from dialog.repl.session import run_piped, run_repl

        if not agent.config.knowledge_path.exists():
            run.warn(
                f"there is no knowledge index at {str(agent.config.knowledge_path)!r}: replies are not "
                "checked against documents; make one with: instructrec index PATH..."
            )
        conversation_id = most_recent(agent.store) if go_on else resume
        if resume is not None:
            require_conversation(agent.store, resume)
        if sys.stdin.isatty() and sys.stdout.isatty():
            threading.Thread(target=_open_ahead, args=(agent,), name="open ahead").start()
            exit_code = run_repl(agent, conversation_id=conversation_id, show_tracebacks=run.traceback)
        else:
            exit_code = run_piped(agent, stdin_lines(), conversation_id=conversation_id)
    raise typer.Exit(exit_code)


def _open_ahead(agent: DialogAgent) -> None:
    """Load what the first reply needs while its question is being typed.

    Nothing is fetched: that is for the first turn, which can say so. Nor are
    errors told here: the first turn meets them again.
    """
    from dialog.engine.sources import resolve

    with contextlib.suppress(DialogError):
        resolve(agent.config.values.model.name, offline=True)
        _ = agent.model, agent.retriever
