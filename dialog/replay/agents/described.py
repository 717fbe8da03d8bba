"""From a TOML file to an agent: the usual configuration, or `[agent]` with `kind = "command"` or `"python"`.

    [agent]
    kind = "command"
    command = ["python", "bot.py"]
    timeout_s = 60

An argument that names no file in the working directory but one beside the TOML
file means that one. `python` is the running interpreter where there is none of
that name. Files that are named, and the module of a target, are part of the
agent's fingerprint, so a changed bot is another agent.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from dialog.config import Config, load_config
from dialog.errors import ConfigError
from dialog.replay.agents.answering import ReplayAgent
from dialog.replay.agents.command import CommandAgent
from dialog.replay.agents.configured import ConfiguredAgent
from dialog.replay.agents.function import FunctionAgent, imported
from dialog.replay.environments.environment import Tool
from dialog.values import Value

DEFAULT_TIMEOUT_S = 60.0
_INTERPRETERS = ("python", "python3")


class _Command(Value):
    kind: Literal["command"]
    name: str = "agent"
    command: tuple[str, ...] = Field(min_length=1)
    timeout_s: float = Field(default=DEFAULT_TIMEOUT_S, gt=0)


class _Python(Value):
    kind: Literal["python"]
    name: str = "agent"
    target: str
    timeout_s: float = Field(default=DEFAULT_TIMEOUT_S, gt=0)


_FOREIGN: TypeAdapter[_Command | _Python] = TypeAdapter(
    Annotated[_Command | _Python, Field(discriminator="kind")]
)


def open_agent(
    path: Path | None,
    *,
    overrides: Sequence[str] = (),
    scores: bool = False,
    explains: bool = False,
    tools: Sequence[Tool] = (),
    progress: Callable[[str], None] | None = None,
) -> ReplayAgent:
    """Open the agent that a file describes; None is the configuration of the working directory.

    Args:
        overrides: `section.key=value`, for configurations only.
        scores, explains, tools, progress: see `ConfiguredAgent`.

    Raises:
        ConfigError: the file cannot be read or says something else.
        ModelError, KnowledgeError: a part cannot be opened.
    """
    foreign = _foreign(path) if path is not None else None
    match foreign:
        case None:
            config = load_config(path, overrides=overrides)
            return ConfiguredAgent(config, scores=scores, explains=explains, tools=tools, progress=progress)
        case _Command():
            assert path is not None
            command = [_found(part, beside=path.parent) for part in foreign.command]
            if command[0] in _INTERPRETERS and shutil.which(command[0]) is None:
                command[0] = sys.executable
            return CommandAgent(
                command, timeout_s=foreign.timeout_s, fingerprint=_fingerprint(foreign, _files(command))
            )
        case _Python():
            assert path is not None
            target = imported(foreign.target, beside=path.parent)
            return FunctionAgent(
                target, timeout_s=foreign.timeout_s, fingerprint=_fingerprint(foreign, _module(foreign))
            )


def as_config(path: Path | None, *, overrides: Sequence[str] = ()) -> Config | None:
    """The configuration of an agent that has one; None for a command or a callable. Raises ConfigError."""
    if path is not None and _foreign(path) is not None:
        return None
    return load_config(path, overrides=overrides)


def _foreign(path: Path) -> _Command | _Python | None:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the agent's file {str(path)!r}: {error}; name a TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{str(path)!r} is not valid TOML: {error}") from error
    section = content.get("agent")
    if not isinstance(section, dict) or "kind" not in section:
        return None
    further = sorted(set(content) - {"agent"})
    if further:
        raise ConfigError(
            f"{path}: an agent of kind {section['kind']!r} has no section [{further[0]}]; "
            "remove it or remove agent.kind"
        )
    return _validated(section, path)


def _validated(section: dict[str, Any], path: Path) -> _Command | _Python:
    try:
        return _FOREIGN.validate_python(section)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(["agent", *(str(part) for part in first["loc"][1:])])
        raise ConfigError(
            f'{path}: {where}: {first["msg"]}; an agent is the usual configuration, or kind = "command" with '
            'command = [...], or kind = "python" with target = "package.module:callable"'
        ) from error


def _found(part: str, *, beside: Path) -> str:
    near = beside / part
    return str(near) if not Path(part).exists() and near.is_file() else part


def _files(command: Sequence[str]) -> list[Path]:
    """The scripts a command names; the program itself is found by its name."""
    return [Path(part) for part in command[1:] if Path(part).is_file()]


def _module(described: _Python) -> list[Path]:
    module = sys.modules.get(described.target.partition(":")[0])
    file = getattr(module, "__file__", None)
    return [Path(file)] if file else []


def _fingerprint(described: _Command | _Python, files: Sequence[Path]) -> dict[str, str | None]:
    content = hashlib.sha256()
    for file in files:
        content.update(hashlib.sha256(file.read_bytes()).digest())
    said = json.dumps(described.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return {
        "kind": described.kind,
        "config": hashlib.sha256(said.encode()).hexdigest()[:16],
        "files": content.hexdigest()[:16] if files else None,
    }
