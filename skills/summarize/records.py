"""What the skill `summarize` takes and gives."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dialog.text import detect_language
from dialog.values import Language, Message, Value

Kind = Literal["summary", "briefing", "notes"]


class Input(Value):
    """A text or the messages of a conversation, and what is to be made of it.

    Attributes:
        kind: a summary; a briefing for the colleague who takes over; notes for a ticket, a line each.
        max_words: bound of the sentences taken together; a Han character is a word.
        language: of labels and drafts; None: the source's. Sentences of the source stay as they are.
    """

    text: str = ""
    messages: tuple[Message, ...] = ()
    kind: Kind = "summary"
    max_words: int = Field(default=80, ge=5, le=2000)
    language: Language | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Input:
        if bool(self.text.strip()) == bool(self.messages):
            raise ValueError("give either text or messages")
        return self

    @property
    def source(self) -> str:
        """All that is said, for looking things up."""
        return self.text or "\n".join(message.content for message in self.messages)

    @property
    def spoken(self) -> Language:
        """The language of the summary."""
        return self.language or detect_language(self.source)


class Evidence(Value):
    """A sentence of the source: in message number `message` (of a text: 0), at `start:end`."""

    message: int = Field(ge=0)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    text: str


class Output(Value):
    """A summary, what it rests on, and, where a draft was given up or cut, why."""

    text: str
    mode: Literal["generated", "extracted"]
    language: Language
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""
