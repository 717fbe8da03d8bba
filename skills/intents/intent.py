"""What every classifier of intents gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pydantic import Field

from dialog.values import Value


class Intent(Value):
    """What one message wants.

    Attributes:
        name: None where the message wants none of the known.
        confidence: that `name` is right, calibrated on what was held out; of None, that none fits.
        ranked: the known intents with their probabilities, best first; with the probability that none
            fits they make 1.
    """

    name: str | None
    confidence: float = Field(ge=0, le=1)
    ranked: tuple[tuple[str, float], ...]


class IntentClassifier(Protocol):
    """Knows some intents and tells which a message has."""

    @property
    def labels(self) -> Sequence[str]: ...

    def classify(self, texts: Sequence[str]) -> list[Intent]:
        """One each, in order. Raises ModelError, KnowledgeError."""
        ...
