"""Instruction wordings as data: several ways to say each task, in each language.

A skill's folder holds `wordings.toml`, a table for each task and language:

    [title.en]
    texts = ["Write a title for: {text}", "Name this: {text}"]
    [title.zh]
    texts = ["为下文写一个标题：{text}"]

    wordings = load("generate")
    wordings.fill("title", "zh", text="包裹已寄出")

What is filled in is never looked at for placeholders again.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import Field, ValidationError, model_validator

from dialog.errors import SkillError
from dialog.values import Language, Value

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Texts(Value):
    """The wordings of one task in one language, the one that is used by default first."""

    texts: tuple[str, ...] = Field(min_length=1)


class Wordings(Value):
    """The wordings of a skill by task and language; those of one task take the same placeholders."""

    tasks: Mapping[str, Mapping[Language, Texts]]

    @model_validator(mode="after")
    def _same_placeholders(self) -> Wordings:
        for task, languages in self.tasks.items():
            taken = {frozenset(placeholders(text)) for one in languages.values() for text in one.texts}
            if len(taken) > 1:
                raise ValueError(f"the wordings of {task!r} take different placeholders: {_listed(taken)}")
        return self

    def texts(self, task: str, language: str) -> tuple[str, ...]:
        """All wordings of a task in a language, with their placeholders.

        Languages without wordings ("und" among them) get the English ones.

        Raises:
            KeyError: there is no such task, or it has neither that language nor English.
        """
        languages = {str(name): one for name, one in self.tasks[task].items()}
        return languages[language if language in languages else "en"].texts

    def fill(self, task: str, language: str, index: int = 0, **values: str) -> str:
        """Wording number `index` (counted round) with `{name}` replaced by the value of that name.

        Raises:
            KeyError: as `texts`.
            ValueError: a placeholder without a value, or a value without a placeholder.
        """
        texts = self.texts(task, language)
        text = texts[index % len(texts)]
        if (needed := placeholders(text)) != set(values):
            raise ValueError(f"{task!r} takes {sorted(needed)}, not {sorted(values)}")
        return _PLACEHOLDER.sub(lambda found: values[found[1]], text)


def placeholders(text: str) -> set[str]:
    """The names in `{name}`; other braces are text."""
    return set(_PLACEHOLDER.findall(text))


@cache
def load(skill: str) -> Wordings:
    """The wordings of one of the skills of this package.

    Raises:
        SkillError: there is no `wordings.toml`, or it says something else than wordings.
    """
    place = files("skills") / skill / "wordings.toml"
    try:
        return parse(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SkillError(f"skill {skill!r} has no wordings; expected them in {place}") from None
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise SkillError(f"{place}: {error}") from error


def parse(text: str) -> Wordings:
    """Wordings from TOML. Raises tomllib.TOMLDecodeError, ValidationError."""
    return Wordings.model_validate({"tasks": tomllib.loads(text)})


def _listed(taken: set[frozenset[str]]) -> str:
    return " and ".join(sorted(str(sorted(names)) for names in taken))
