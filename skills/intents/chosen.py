"""Intents by a language model, from their names alone.

    classifier = ChosenIntents(model, ["track_order", "refund"])

"None of these" stands among the names; so a message is of no intent where the model finds that
likelier than any name. Names are read as words, so they should say what they mean. The scores are corrected
for what the model likes anyway and for places in the list (`skills.choosing`); no temperature was
fitted, and small models are far too sure or far too unsure.
"""

from __future__ import annotations

from collections.abc import Sequence

from dialog.protocols import LanguageModel
from dialog.text import detect_language
from dialog.values import Language
from skills.choosing import Chooser, Wording
from skills.choosing.measures import ranked
from skills.intents.intent import Intent
from skills.intents.nearest import spoken
from skills.wordings import load

_NONE: dict[Language, str] = {"en": "none of these", "zh": "以上都不是"}
_BLANK: dict[Language, str] = {"en": "N/A", "zh": "无"}


class ChosenIntents:
    """An `IntentClassifier`; each message is read once for each order of the names.

    Args:
        wording: which of the shipped wordings asks.
    """

    def __init__(
        self, model: LanguageModel, labels: Sequence[str], *, num_orders: int = 4, wording: int = 0
    ) -> None:
        self.labels: Sequence[str] = tuple(labels)
        self._model, self._num_orders, self._wording = model, num_orders, wording
        self._choosers: dict[Language, Chooser] = {}

    def classify(self, texts: Sequence[str]) -> list[Intent]:
        """Raises ModelError, and ValueError where two names read alike."""
        return [self._intent(text) for text in texts]

    def _intent(self, text: str) -> Intent:
        language: Language = "zh" if detect_language(text) == "zh" else "en"
        names = [spoken(label) for label in self.labels]
        choice = self._chooser(language).choose(text, [*names, _NONE[language]])
        order = ranked(self.labels, choice.probabilities[:-1])
        none = choice.probabilities[-1]
        name, confidence = order[0]
        if none > confidence:
            return Intent(name=None, confidence=none, ranked=order)
        return Intent(name=name, confidence=confidence, ranked=order)

    def _chooser(self, language: Language) -> Chooser:
        if language not in self._choosers:
            texts = load("intents").texts("choose", language)
            is_chinese = language == "zh"
            wording = Wording(
                ask=texts[self._wording % len(texts)],
                blank=_BLANK[language],
                before="" if is_chinese else " ",
                joint="、" if is_chinese else ", ",
            )
            self._choosers[language] = Chooser(self._model, wording, num_orders=self._num_orders)
        return self._choosers[language]
