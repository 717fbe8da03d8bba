"""Checks of arguments that need more than a type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


def pairs(texts: Sequence[str] | None, *, option: str) -> dict[str, list[str]]:
    """`NAME=VALUE` arguments as the values of each name, in order."""
    found: dict[str, list[str]] = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise typer.BadParameter(f"{text!r} is not of the form NAME=VALUE", param_hint=option)
        found.setdefault(name.strip(), []).append(value.strip())
    return found


def filters(texts: Sequence[str] | None, *, option: str) -> dict[str, Any]:
    """`NAME=VALUE` arguments as a filter: one of the values of each name, as text or as the number it is."""
    return {
        name: [one for value in values for one in _readings(value)]
        for name, values in pairs(texts, option=option).items()
    }


def _readings(value: str) -> list[str | int | float]:
    try:
        return [value, float(value) if "." in value else int(value)]
    except ValueError:
        # JSON's true and false are 1 and 0 to the index.
        return [value, *({"true": [1], "false": [0]}.get(value.lower(), []))]
