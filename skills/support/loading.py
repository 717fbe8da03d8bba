"""Flow files: TOML or YAML, checked whole before a customer meets them.

    flows = load(Path("examples/support/shop.toml"))

A mistake is one line, `FILE: where, what, what to do`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rapidfuzz import process

from dialog.errors import ConfigError
from skills.support.flows import Bilingual, Examples, Flow, Flows, HandOff, Lookup, Proposal, Rule, SlotSpec

_KNOWN = sorted(
    {
        name
        for model in (Bilingual, Examples, Flow, Flows, HandOff, Lookup, Proposal, Rule, SlotSpec)
        for name in model.model_fields
    }
)


def load(path: Path) -> Flows:
    """Read and check a flow file.

    Raises:
        ConfigError: it is not there, is not TOML or YAML, or something in it is wrong; all mistakes are
            named, one a line.
    """
    try:
        return Flows.model_validate(_content(path))
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_line(one)}" for one in error.errors())) from error


def _content(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"{path}: the whole file, {reason}, check skills.options.support.flows") from error
    if path.suffix.lower() == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: not TOML, {error}, correct it there") from error
    if path.suffix.lower() in (".yaml", ".yml"):
        return _yaml(path, text)
    raise ConfigError(f"{path}: the name ends in {path.suffix!r}, save it as .toml or .yaml")


def _yaml(path: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        shown = " ".join(str(error).split())
        raise ConfigError(f"{path}: not YAML, {shown}, correct it there") from error


def _line(error: ErrorDetails) -> str:
    """Where, what, what to do."""
    where = ".".join(str(part) for part in error["loc"]) or "the whole file"
    match error["type"]:
        case "extra_forbidden":
            key = str(error["loc"][-1])
            near = process.extractOne(key, _KNOWN, score_cutoff=60)
            return f"{where}, unknown key, {f'did you mean {near[0]!r}?' if near else 'remove it'}"
        case "missing":
            return f"{where}, missing, add it"
        case "value_error":
            what, _, remedy = str(error["ctx"]["error"]).partition("; ")
            return f"{where}, {what}, {remedy}"
        case _:
            return f"{where}, {error['msg']}, it is {str(error['input'])[:60]!r} now"
