"""What the REPL remembers between two lines, and what a command may ask it to do next.

session = ReplSession(agent=agent, conversation_id="c-42", console=console)
session.say("undone")
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType

from dialog.config import Config
from dialog.entries import Replied
from dialog.repl.player import Stream
from dialog.repl.screen import plain
from dialog.values import Reply, Sampling, SearchResult

if TYPE_CHECKING:
    from dialog.agent import DialogAgent


@dataclass(frozen=True)
class Leave:
    """End the session."""


@dataclass(frozen=True)
class Play:
    """Show a turn that a command began (`/retry`, `/edit`)."""

    stream: Stream


@dataclass(frozen=True)
class Prefill:
    """Begin the next line with this text, for the user to change."""

    text: str


Action = Leave | Play | Prefill | None


class CommandError(Exception):
    """A command cannot do what was asked; the message is for the user, one line."""


@dataclass
class ReplSession:
    """One person talking to one agent; commands read and change it.

    `reopen` gives an agent with another configuration and the same store;
    None where the caller's agent cannot be replaced.
    """

    agent: DialogAgent
    conversation_id: str
    console: Console
    reopen: Callable[[Config], DialogAgent] | None = None
    sampling: Sampling | None = None
    last: Reply | None = None
    search: SearchResult | None = None
    show_tracebacks: bool = False
    show_timings: bool = False
    listed: dict[str, list[str]] = field(default_factory=dict)
    """Ids last shown with numbers, by what they are of, so that a number may be given instead."""

    def say(self, text: str, style: str = "dim") -> None:
        """One line from the REPL itself."""
        self.console.print(plain(text), style=style, soft_wrap=False)

    def show(self, *renderables: RenderableType) -> None:
        """Something drawn by `dialog.repl.view`."""
        for renderable in renderables:
            self.console.print(renderable)

    def enter(self, conversation_id: str) -> None:
        """Go on in another conversation; its last reply becomes the one commands speak of."""
        self.conversation_id = conversation_id
        self.refresh()

    def refresh(self) -> None:
        """Read the last reply again after the head moved."""
        history = self.agent.history(self.conversation_id)
        self.search = None
        self.last = next((e.reply for e in history.entries_back() if isinstance(e, Replied)), None)

    def reply(self) -> Reply:
        """The last reply. Raises CommandError if there is none."""
        if self.last is None:
            raise CommandError("nothing has been answered yet; ask something first")
        return self.last

    def reconfigure(self, overrides: Sequence[str]) -> None:
        """Answer with other settings from now on.

        Raises:
            ConfigError: a key or value is unknown.
            CommandError: this session's agent cannot be replaced.
        """
        config = self.agent.config.changed(overrides)
        if self.reopen is None:
            raise CommandError("this session keeps its settings; start another one with --set")
        self.agent = self.reopen(config)

    def pick(self, kind: str, text: str) -> str:
        """The id meant by a number of the list of that kind shown last, or by the id itself."""
        listed = self.listed.get(kind, [])
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(listed):
            return listed[int(text) - 1]
        return text


def new_conversation_id() -> str:
    """A short id that nobody has used."""
    return f"c-{secrets.token_hex(6)}"
