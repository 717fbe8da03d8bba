"""Intents without training: by the nearest name or example, in the embedder's space.

    classifier = NearestIntents(embedder, {"refund": ["I want my money back"], "delivery": []})

The figures below were chosen on clinc150's training part, five examples an intent, for
the default embedder (`python -m benchmarks.skills.intents --choose`); give others for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from dialog.protocols import Embedder
from skills.choosing import softmax
from skills.choosing.measures import ranked
from skills.intents.intent import Intent

if TYPE_CHECKING:
    import numpy as np

TEMPERATURE = 0.01
THRESHOLD = 0.865
"""Cosine to the nearest example at which a message is as likely of no intent as of one.

Of held-out messages that have an intent 5 % are farther, of those out of scope 70 %.
"""


class NearestIntents:
    """An `IntentClassifier` over examples.

    Args:
        examples: of each intent what people say; without any its name is read as words.
        temperature: differences of cosines are divided by it.
        threshold: a message whose nearest example is farther has no intent.

    Raises:
        ValueError: no intents are given.
    """

    def __init__(
        self,
        embedder: Embedder,
        examples: Mapping[str, Sequence[str]],
        *,
        temperature: float = TEMPERATURE,
        threshold: float = THRESHOLD,
    ) -> None:
        if not examples:
            raise ValueError("no intents were given; name at least one")
        self._embedder = embedder
        self.labels: Sequence[str] = tuple(examples)
        self._temperature, self._threshold = temperature, threshold
        texts = [list(examples[label]) or [spoken(label)] for label in self.labels]
        self._ends = list(accumulate(len(one) for one in texts))
        self._vectors = embedder.embed_queries([text for one in texts for text in one])

    def classify(self, texts: Sequence[str]) -> list[Intent]:
        if not texts:
            return []
        return [self._intent(row) for row in self.nearest(texts)]

    def nearest(self, texts: Sequence[str]) -> np.ndarray:
        """Cosine to the nearest example of each intent, (N, L); at least one text."""
        import numpy as np

        cosines = self._embedder.embed_queries(texts) @ self._vectors.T
        starts = [0, *self._ends[:-1]]
        found: np.ndarray = np.maximum.reduceat(cosines, starts, axis=1)
        return found

    def _intent(self, nearest_L: np.ndarray) -> Intent:
        """From the cosine to the nearest example of each label; "none" takes part with the threshold."""
        *shares, none = softmax([one / self._temperature for one in [*nearest_L.tolist(), self._threshold]])
        order = ranked(self.labels, shares)
        name, confidence = order[0]
        if none > confidence:
            return Intent(name=None, confidence=none, ranked=order)
        return Intent(name=name, confidence=confidence, ranked=order)


def spoken(label: str) -> str:
    """A name as words: `card_not_working` -> "card not working"."""
    return " ".join(label.replace("_", " ").replace("-", " ").split())
