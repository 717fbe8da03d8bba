"""Intents by an encoder that was trained on labelled messages (`instructrec tune-labels`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skills.choosing.measures import ranked
from skills.intents.intent import Intent

if TYPE_CHECKING:
    from dialog.encoder.labeller import Labeller


class TrainedIntents:
    """An `IntentClassifier`.

    A label's probability is that of the label among all, times that of any fitting; a message is of
    no intent where the latter falls below the threshold that was fitted with the encoder.
    """

    def __init__(self, labeller: Labeller) -> None:
        self._labeller = labeller

    @classmethod
    def load(cls, folder: Path) -> TrainedIntents:
        """Raises ModelError: the folder holds no labeller, or one of another encoder."""
        from dialog.encoder.labeller import Labeller

        return cls(Labeller.load(folder))

    @property
    def labels(self) -> Sequence[str]:
        return self._labeller.config.labels

    def classify(self, texts: Sequence[str]) -> list[Intent]:
        labelled = self._labeller(texts)
        scope = self._labeller.config.scope
        found = []
        for shares, in_scope in zip(labelled.probabilities, labelled.in_scope.tolist(), strict=True):
            order = ranked(self.labels, (shares * in_scope).tolist())
            name, confidence = order[0]
            if scope is not None and in_scope < scope.threshold:
                found.append(Intent(name=None, confidence=1 - in_scope, ranked=order))
            else:
                found.append(Intent(name=name, confidence=confidence, ranked=order))
        return found
