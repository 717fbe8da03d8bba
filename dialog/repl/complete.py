"""Completion of commands and of what may follow them.

PromptSession(completer=CommandCompleter(session))
"""

from __future__ import annotations

from collections.abc import Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from dialog.errors import DialogError
from dialog.guard.terminal import safe_text
from dialog.repl.commands import TABLE
from dialog.repl.context import CommandError, ReplSession


class CommandCompleter(Completer):
    """Completes lines that begin with one `/`; everything else is left alone."""

    def __init__(self, session: ReplSession) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        typed = document.text_before_cursor
        if not typed.startswith("/") or typed.startswith("//") or "\n" in typed:
            return
        word, space, argument = typed.partition(" ")
        if space:
            yield from self._arguments(word, argument.lstrip())
            return
        for command in TABLE:
            if command.name.startswith(word.lower()):
                ending = " " if command.usage else ""
                yield Completion(
                    command.name + ending,
                    start_position=-len(word),
                    display=command.name,
                    display_meta=command.help,
                )

    def _arguments(self, word: str, argument: str) -> Iterable[Completion]:
        command = next((c for c in TABLE if word.lower() in (c.name, *c.aliases)), None)
        if command is None:
            return
        try:
            choices = list(command.complete(self._session, argument))
        except (DialogError, CommandError, ValueError, OSError):
            return  # a store that cannot be read is told when the command runs, not while typing
        for text, meaning in choices:
            if text.lower().startswith(argument.lower()):
                yield Completion(
                    text,
                    start_position=-len(argument),
                    display=safe_text(text).replace("\n", " "),
                    display_meta=safe_text(meaning).replace("\n", " "),
                )
