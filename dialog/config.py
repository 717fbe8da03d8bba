"""One TOML file in layers, and where each value came from.

Precedence: flags (`--set model.name=...`) > environment (`INSTRUCTREC_MODEL__NAME`)
> project file > user file > defaults. An unknown key fails and names the nearest
known one.

    config = load_config(Path("instructrec.toml"), overrides=["sampling.max_tokens=64"])
    config.values.model.name, config.origin("sampling.max_tokens")
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from dialog import home
from dialog.errors import ConfigError
from dialog.settings import Settings

ENVIRONMENT_PREFIX = "INSTRUCTREC_"
_NOT_SETTINGS = {"INSTRUCTREC_HOME", "INSTRUCTREC_PLUGINS"}


@dataclass(frozen=True)
class Config:
    """Settings and the layer each value came from."""

    values: Settings
    origins: Mapping[str, str]

    def origin(self, key: str) -> str:
        """`default`, `--set`, an environment variable's name or a file's path."""
        return self.origins.get(key, "default")

    def changed(self, overrides: Iterable[str]) -> Config:
        """The same with some `section.key=value` set. Raises ConfigError as `load_config` does."""
        merged: dict[str, Any] = self.values.model_dump()
        origins = dict(self.origins)
        for text in overrides:
            layer = _assignment(text)
            _check_keys(layer, where="--set")
            for section, content in layer.items():
                merged[section].update(content)
                origins.update({f"{section}.{key}": "--set" for key in content})
        return Config(values=_validate(merged, origins), origins=origins)

    @property
    def knowledge_path(self) -> Path:
        path = self.values.knowledge.path
        return Path(path).expanduser() if path else home.data_dir() / "knowledge"

    @property
    def skill_folders(self) -> tuple[Path, ...]:
        """Where skills without code lie: those named, then the data directory's if it is there."""
        own = home.data_dir() / "skills"
        named = tuple(Path(folder).expanduser() for folder in self.values.skills.folders)
        return (*named, own) if own.is_dir() else named

    @property
    def store_url(self) -> str:
        return self.values.store.url or f"sqlite:///{home.data_dir() / 'conversations.db'}"


def load_config(
    path: Path | None = None,
    *,
    overrides: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Read all layers.

    Args:
        path: the project file; None takes `instructrec.toml` of the working directory if there.
        overrides: `section.key=value` strings; values are TOML, or plain text where that fails.
        environment: defaults to the process's.

    Raises:
        ConfigError: a file is missing or malformed, a key unknown, a value not of its type.
    """
    environment = os.environ if environment is None else environment
    layers: list[tuple[str, dict[str, Any]]] = []
    user_file = home.config_dir() / home.FILE_NAME
    if user_file.is_file():
        layers.append((str(user_file), _read(user_file)))
    project_file = path or Path(home.FILE_NAME)
    if path is not None or project_file.is_file():
        layers.append((str(project_file), _read(project_file)))
    layers += list(_environment_layers(environment))
    layers += [("--set", _assignment(text)) for text in overrides]

    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        _check_keys(layer, where=origin)
        for section, content in layer.items():
            for key, value in content.items():
                name, *inner = key.split(".")
                content_of = merged.setdefault(section, {})
                content_of[name] = _within(content_of.get(name), inner, value)
                origins[f"{section}.{name}"] = origin
    return Config(values=_validate(merged, origins), origins=origins)


def _within(table: Any, path: Sequence[str], value: Any) -> Any:
    """The value itself, or a copy of the table that has it at the path; `skills.options.support.flows`."""
    if not path:
        return value
    known = table if isinstance(table, Mapping) else {}
    return {**known, path[0]: _within(known.get(path[0]), path[1:], value)}


def known_keys() -> list[str]:
    """Every `section.key`, in file order."""
    return [f"{section}.{key}" for section, model in _sections().items() for key in model.model_fields]


def _sections() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        found[name] = kind
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"configuration file {str(path)!r} does not exist; create it or drop --config"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read {str(path)!r}: {error}; save it as UTF-8 and make it readable"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{str(path)!r} is not valid TOML: {error}") from error


def _environment_layers(environment: Mapping[str, str]) -> Iterable[tuple[str, dict[str, Any]]]:
    for name in sorted(environment):
        if not name.startswith(ENVIRONMENT_PREFIX) or name in _NOT_SETTINGS:
            continue
        section, separator, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if separator:
            yield name, {section: {key: _parse(environment[name])}}


def _assignment(text: str) -> dict[str, Any]:
    key, separator, value = text.partition("=")
    section, dot, name = key.strip().partition(".")
    if not separator or not dot:
        raise ConfigError(f"--set {text!r} is not of the form section.key=value")
    return {section: {name: _parse(value)}}


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return None if text.strip() in ("none", "None", "null") else text


def _check_keys(layer: Mapping[str, Any], *, where: str) -> None:
    sections = _sections()
    for section, content in layer.items():
        if section not in sections:
            raise ConfigError(f"{where}: unknown section [{section}]{_nearest(section, list(sections))}")
        if not isinstance(content, dict):
            raise ConfigError(f"{where}: [{section}] must be a section, not {content!r}")
        known = list(sections[section].model_fields)
        for key in content:
            name, dot, _ = key.partition(".")
            if name not in known or (dot and not _is_table(sections[section], name)):
                nearest = _nearest(key, known, prefix=f"{section}.")
                raise ConfigError(f"{where}: unknown key {section}.{key}{nearest}")


def _is_table(section: type[BaseModel], name: str) -> bool:
    """True for a setting that holds what others name: `skills.options`, `model.adapters`."""
    return isinstance(section.model_fields[name].get_default(call_default_factory=True), dict)


def _nearest(name: str, known: Sequence[str], *, prefix: str = "") -> str:
    from rapidfuzz import process

    match = process.extractOne(name, known, score_cutoff=50)
    return f"; did you mean {prefix}{match[0]}?" if match else f"; known: {', '.join(known)}"


def _validate(merged: dict[str, Any], origins: Mapping[str, str]) -> Settings:
    defaults = Settings()
    filled = {name: {**getattr(defaults, name).model_dump(), **content} for name, content in merged.items()}
    try:
        return Settings.model_validate(filled)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"][:2])
        raise ConfigError(
            f"{origins.get(key, 'configuration')}: {key} = {first['input']!r}: {first['msg']}"
        ) from error
