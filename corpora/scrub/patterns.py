"""What a team adds to the rules: patterns, names, and what is to be left alone, in TOML.

    allow = ["400-820-8820", "help@shop.example"]   # these texts stay
    allow_patterns = ['SO\\d{10}']                    # and what matches these as a whole
    keep = ["URL"]                                   # kinds to leave alone
    names = ["王小明", "Zoltan"]                      # names to find wherever they stand
    regions = ["US", "GB"]                           # whose national telephone numbers to know

    [[pattern]]
    kind = "MEMBER"
    regex = 'VIP-\\d{6}'

A pattern that takes longer than a second on one text is an error that names it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import phonenumbers
import regex
from pydantic import Field, ValidationError, field_validator

from corpora.scrub.finds import KIND_NAME, KINDS, Find
from corpora.scrub.phones import REGIONS
from dialog.errors import ConfigError
from dialog.values import Value

TIMEOUT_S = 1.0
MAX_BYTES = 1_000_000


class Pattern(Value):
    """A kind of one's own."""

    kind: str = Field(pattern=f"^{KIND_NAME.pattern}$")
    regex: str = Field(min_length=1, max_length=2000)

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return _compiling(value)


class Rules(Value):
    """The additions, checked; `Rules()` are none."""

    allow: tuple[str, ...] = ()
    allow_patterns: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    names: tuple[Annotated[str, Field(min_length=2, max_length=60)], ...] = ()
    regions: tuple[str, ...] = REGIONS
    pattern: tuple[Pattern, ...] = ()

    @field_validator("allow_patterns")
    @classmethod
    def _compile(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_compiling(value) for value in values)

    @field_validator("keep")
    @classmethod
    def _known(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if value not in KINDS:
                raise ValueError(f"unknown kind {value!r}; known are {', '.join(KINDS)}")
        return values

    @field_validator("regions")
    @classmethod
    def _exist(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if value not in phonenumbers.SUPPORTED_REGIONS:
                raise ValueError(f"unknown region {value!r}; give two capitals, as in 'US'")
        return values


def read_rules(path: Path) -> Rules:
    """The rules of a TOML file.

    Raises:
        ConfigError: it cannot be read, or says something unknown.
    """
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{path}: has {len(content)} bytes, more than {MAX_BYTES}; name a rules file")
        return Rules.model_validate(tomllib.loads(content.decode("utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; name a readable TOML file") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}; see docs/scrub.md for the form") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ConfigError(
            f"{path}: {place}: {first['msg']}; see docs/scrub.md for what may stand there"
        ) from error


class OwnPatterns:
    """The compiled patterns of some rules."""

    def __init__(self, rules: Rules) -> None:
        self._patterns = [(one.kind, regex.compile(one.regex)) for one in rules.pattern]
        self._allowed = {_plain(text) for text in rules.allow}
        self._allow_patterns = [regex.compile(pattern) for pattern in rules.allow_patterns]
        self._keep = frozenset(rules.keep)

    def finds(self, text: str) -> Iterator[Find]:
        """What the custom patterns find.

        Raises:
            ConfigError: one takes too long.
        """
        for kind, pattern in self._patterns:
            try:
                for match in pattern.finditer(text, timeout=TIMEOUT_S):
                    if match.end() > match.start():
                        yield Find(kind, match.start(), match.end(), rule=f"own-{kind.lower()}")
            except TimeoutError:
                raise _too_slow(pattern.pattern, len(text)) from None

    def allows(self, kind: str, text: str) -> bool:
        """Whether a found text is to be left alone."""
        if kind in self._keep or (self._allowed and _plain(text) in self._allowed):
            return True
        for pattern in self._allow_patterns:
            try:
                if pattern.fullmatch(text, timeout=TIMEOUT_S):
                    return True
            except TimeoutError:
                raise _too_slow(pattern.pattern, len(text)) from None
        return False


def _compiling(value: str) -> str:
    try:
        regex.compile(value)
    except regex.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from error
    return value


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _too_slow(pattern: str, num_chars: int) -> ConfigError:
    return ConfigError(
        f"the pattern {pattern!r} takes more than {TIMEOUT_S:g} s on a text of {num_chars} characters; "
        "write it without nested repetition"
    )
