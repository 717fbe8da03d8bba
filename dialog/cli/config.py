"""`instructrec config`: every value, and the layer it came from."""

from __future__ import annotations

import json
import re

import typer

from dialog.cli.verb import Run, verb


def register(app: typer.Typer) -> None:
    verb(app)(config)


def config(run: Run) -> None:
    """Print every setting and where it came from."""
    from dialog.config import known_keys

    loaded = run.config()
    content = loaded.values.model_dump(mode="json")
    rows = []
    for key in known_keys():
        section, _, name = key.partition(".")
        rows.append({"key": key, "value": masked(content[section][name]), "origin": loaded.origin(key)})
    if run.json:
        run.show_json(rows)
        return
    for row in rows:
        run.show(_line(str(row["key"]), row["value"], origin=str(row["origin"])))


def _line(key: str, value: object, *, origin: str) -> str:
    """A line of TOML, to be copied into a file; what is not set is a comment."""
    if value is None:
        return f"# {key} is not set ({origin})"
    return f"{key} = {_toml(value)}  # {origin}"


def _toml(value: object) -> str:
    """A value as TOML on one line; JSON but for tables."""
    match value:
        case dict():
            pairs = ", ".join(f"{name} = {_toml(one)}" for name, one in value.items())
            return f"{{{pairs}}}"
        case list():
            return f"[{', '.join(_toml(one) for one in value)}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def masked(value: object) -> object:
    """The value with the password of a URL replaced, so that the output may be shown to others."""
    return re.sub(r"(://[^/@:\s]*:)[^@\s]+@", r"\1***@", value) if isinstance(value, str) else value
