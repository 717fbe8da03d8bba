"""What a command of the REPL is: a name, a line of help, and two functions.

Command("/undo", "", "take the last turn back", run=undo)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dialog.repl.context import Action, ReplSession

Choice = tuple[str, str]
"""A completion and what it means."""


def no_choices(session: ReplSession, argument: str) -> Iterable[Choice]:
    """For commands whose arguments cannot be listed."""
    return ()


@dataclass(frozen=True)
class Command:
    """One command. `usage` shows its arguments; `complete` lists what may stand for the one being typed."""

    name: str
    usage: str
    help: str
    run: Callable[[ReplSession, str], Action]
    complete: Callable[[ReplSession, str], Iterable[Choice]] = no_choices
    aliases: tuple[str, ...] = ()
