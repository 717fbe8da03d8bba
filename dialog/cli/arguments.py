"""Checks of arguments that need more than a type."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from dialog.cli.transcripts import STDIN, read_stdin


def exactly_one(given: Mapping[str, object | None]) -> None:
    """Refuse a command line that names none or several of these ways to say what is meant."""
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        ways = " or ".join(given)
        raise typer.BadParameter(
            f"give {ways}" if not named else f"{' and '.join(named)} exclude each other; give {ways}"
        )


def spoken(text: str, *, name: str) -> str:
    """The text of an argument; `-` reads stdin.

    Raises:
        typer.BadParameter: it is blank, or its bytes are no UTF-8.
    """
    said = read_stdin() if text == STDIN else text
    if not said.strip():
        raise typer.BadParameter(f"{name} is empty; say something")
    try:
        said.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter(f"{name} is not UTF-8; convert it first") from None
    return said
