"""How far a flow is: kept in one slot of the conversation, so that undo, edit and restart take it along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from dialog.values import Value
from skills.support.flows import PROGRESS

CONFIRM = "confirm"
"""What `asked` says when the customer was asked to confirm."""


class Paused(Value):
    """A flow another one came between, with what was known by then."""

    flow: str
    slots: dict[str, str] = Field(default_factory=dict)


class Progress(Value):
    """What the skill is in the middle of.

    Attributes:
        flow: the running one.
        asked: the slot that was asked for last, or `CONFIRM`.
        tries: how often in a row the answer to that was not understood.
        paused: flows to go on with after this one, the next last.
        question: one that an approved answer fits, but for the slots in `needs`.
        needs: those slots, with the kinds their template names.
        unanswered: how many questions in a row found no answer.
    """

    flow: str | None = None
    asked: str | None = None
    tries: int = 0
    paused: tuple[Paused, ...] = ()
    question: str | None = None
    needs: dict[str, str] = Field(default_factory=dict)
    unanswered: int = 0

    @classmethod
    def of(cls, slots: Mapping[str, Any]) -> Progress:
        """As the slots have it; nothing where somebody else wrote something else there."""
        try:
            return cls.model_validate(slots.get(PROGRESS) or {})
        except ValidationError:
            return cls()

    def recorded(self) -> dict[str, Any] | None:
        """The slot's value; None clears it."""
        return self.model_dump(mode="json", exclude_defaults=True) or None
