"""Instruction variants as a deployment declares them: the section `[instructions]` of `instructrec.toml`.

    [instructions.choices]
    length = ["Answer in one short sentence.", "Answer in full and give the reason."]
    tone = [
        {en = "Be formal.", zh = "语气请正式。"},
        {en = "Be warm.", zh = "语气请亲切。"},
    ]

Each choice rules the topic it is named after, so a user's wish on `length`
beats the choice `length` (`dialog.instructions`). A variant is known by its
words: one that is reworded is another one, with nothing learned yet.

    section.variants("tone", language="zh")    # instructions, in that language
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Literal

from pydantic import Field, field_validator

from dialog.instructions import Instruction
from dialog.values import Language, Value

Wording = str | dict[Literal["en", "zh"], str]
"""One text for everybody, or one a language."""

MAX_VARIANTS = 20
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_PREFIX = "choice:"


class InstructionsSection(Value):
    """Instructions of which the ratings choose one (`dialog.learning`).

    Attributes:
        choices: variants by topic.
        memory: ratings after which one weighs 1/e; None never forgets.
    """

    choices: dict[str, tuple[Wording, ...]] = Field(default_factory=dict)
    memory: float | None = Field(default=300.0, gt=1)

    @field_validator("choices", mode="before")
    @classmethod
    def _check(cls, choices: Any) -> Any:
        if not isinstance(choices, dict):
            raise ValueError('give variants by topic: tone = ["Be formal.", "Be warm."]')
        for name, wordings in choices.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot name a choice; use a-z, 0-9, - and _, a letter first")
            if not isinstance(wordings, list | tuple) or not 1 <= len(wordings) <= MAX_VARIANTS:
                raise ValueError(f"{name} needs a list of 1 to {MAX_VARIANTS} variants, not {wordings!r}")
            for wording in wordings:
                _check_wording(name, wording)
            ids = [variant_id(name, wording) for wording in wordings]
            if len(set(ids)) != len(ids):
                raise ValueError(f"{name} lists the same variant twice; keep one of them")
        return choices

    def variants(self, name: str, *, language: Language | None) -> tuple[Instruction, ...]:
        """The variants of a choice as instructions; with `language` None, in all languages at once."""
        return tuple(
            Instruction(
                id=variant_id(name, wording),
                text=_text(wording, language),
                source="feedback",
                scope="deployment",
                topic=name,
            )
            for wording in self.choices[name]
        )


def variant_id(name: str, wording: Wording) -> str:
    """The id of a variant of choice `name`: it changes with the words."""
    words = json.dumps(wording, sort_keys=True).encode()
    return f"{_PREFIX}{name}:{hashlib.sha256(words).hexdigest()[:12]}"


def choice_of(instruction_id: str) -> str | None:
    """The choice that an instruction is a variant of; None for any other instruction."""
    return instruction_id.split(":")[1] if instruction_id.startswith(_PREFIX) else None


def _check_wording(name: str, wording: Any) -> None:
    texts = list(wording.values()) if isinstance(wording, dict) else [wording]
    languages = set(wording) if isinstance(wording, dict) else set()
    if (
        not texts
        or languages - {"en", "zh"}
        or not all(isinstance(text, str) and text.strip() for text in texts)
    ):
        raise ValueError(f'{name}: a variant is a text or {{en = "...", zh = "..."}}, not {wording!r}')


def _text(wording: Wording, language: Language | None) -> str:
    if isinstance(wording, str):
        return wording
    if language is None:
        return " / ".join(wording.values())
    if language != "und" and language in wording:
        return wording[language]
    return next(iter(wording.values()))
