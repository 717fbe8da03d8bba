"""What the skill `generate` takes and gives."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dialog.text import detect_language
from dialog.values import Language, Value

Kind = Literal["reply", "title", "email"]
Rule = Literal["language", "min_words", "max_words", "must_include", "must_not_include", "one_line"]


class Input(Value):
    """What is to be written, and rules the text must keep.

    Attributes:
        text: what it is about, or what is answered.
        language: of the text; None: the instruction's.
        min_words, max_words: bounds; a Han character is a word.
        must_include, must_not_include: phrases, found as whole words whatever their case.
        retries: how often the model is asked again with what was wrong.
    """

    instruction: str = Field(min_length=1)
    kind: Kind = "reply"
    text: str = ""
    language: Literal["zh", "en"] | None = None
    min_words: int | None = Field(default=None, ge=1)
    max_words: int | None = Field(default=None, ge=1)
    must_include: tuple[str, ...] = ()
    must_not_include: tuple[str, ...] = ()
    retries: int = Field(default=2, ge=0, le=5)

    @model_validator(mode="after")
    def _rules_agree(self) -> Input:
        if self.min_words is not None and self.max_words is not None and self.min_words > self.max_words:
            raise ValueError(f"min_words is {self.min_words} and max_words {self.max_words}")
        if not all(phrase.strip() for phrase in (*self.must_include, *self.must_not_include)):
            raise ValueError("a phrase to include or not to include is blank")
        return self

    @property
    def spoken(self) -> Language:
        """The language to write in."""
        found = self.language or detect_language(self.instruction)
        return "en" if found == "und" else found


class Violation(Value):
    """A rule the text does not keep, and what was found instead."""

    rule: Rule
    detail: str


class Output(Value):
    """The best attempt: the one that breaks fewest rules, of equals the first.

    `text` is empty where the model was not asked or wrote nothing; `violations` then say why.
    """

    text: str
    language: Language
    num_words: int
    attempts: int
    violations: tuple[Violation, ...] = ()
