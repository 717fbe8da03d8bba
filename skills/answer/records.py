"""What the skill `answer` takes and gives on records."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dialog.values import Citation, Language, Message, Value


class Input(Value):
    """A question, perhaps in a conversation, perhaps about documents of its own.

    Attributes:
        documents: texts to answer from; empty: the knowledge base.
        messages: what was said before, oldest first.
    """

    text: str = Field(min_length=1)
    documents: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()


class Output(Value):
    """The answer and what it rests on; where `abstained` it is an admission."""

    text: str
    language: Language
    mode: Literal["generated", "quoted", "template", "fixed"]
    abstained: bool
    confidence: float = Field(ge=0, le=1)
    citations: tuple[Citation, ...] = ()
    notices: tuple[str, ...] = ()
