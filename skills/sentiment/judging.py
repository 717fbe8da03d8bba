"""The seam between the skill and what judges: rules, a trained encoder, or a language model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from dialog.errors import SkillError
from dialog.values import Language

if TYPE_CHECKING:
    from dialog.encoder.labeller import Labeller
    from skills.choosing import Chooser

Sentiment = Literal["positive", "negative", "neutral"]
_NAMES: Mapping[str, Sentiment] = {
    **dict.fromkeys(("positive", "pos", "1", "正面", "积极", "好评"), "positive"),
    **dict.fromkeys(("negative", "neg", "0", "-1", "负面", "消极", "差评"), "negative"),
    **dict.fromkeys(("neutral", "neu", "中性", "中评"), "neutral"),
}
NAMES: Mapping[Language, Mapping[Sentiment, str]] = {
    "en": {"positive": "positive", "negative": "negative", "neutral": "neutral"},
    "zh": {"positive": "正面", "negative": "负面", "neutral": "中性"},
}


class Judge(Protocol):
    """Tells how likely a text praises or blames."""

    def __call__(self, texts: Sequence[str]) -> list[Mapping[Sentiment, float]]:
        """Probabilities of each text, together 1; a sentiment the judge does not know is left out."""
        ...


class TrainedJudge:
    """A `Judge` by an encoder that was trained on labelled texts (`instructrec tune-labels`).

    Raises:
        SkillError: one of its labels is no sentiment.
    """

    def __init__(self, labeller: Labeller) -> None:
        self._labeller = labeller
        unknown = [label for label in labeller.config.labels if label.lower() not in _NAMES]
        if unknown:
            raise SkillError(
                f"the labeller's label {unknown[0]!r} is no sentiment; train on labels named "
                "positive, negative, neutral (or 1, 0, 正面, 负面, 中性)"
            )

    @classmethod
    def load(cls, folder: Path) -> TrainedJudge:
        """Raises ModelError, SkillError."""
        from dialog.encoder.labeller import Labeller

        return cls(Labeller.load(folder))

    def __call__(self, texts: Sequence[str]) -> list[Mapping[Sentiment, float]]:
        names = [_NAMES[label.lower()] for label in self._labeller.config.labels]
        rows = self._labeller(texts).probabilities
        return [dict(zip(names, row.tolist(), strict=True)) for row in rows]


class ChoosingJudge:
    """A `Judge` by a language model's calibrated log-probabilities, a chooser a language."""

    def __init__(self, choosers: Mapping[Language, Chooser]) -> None:
        self._choosers = choosers

    def __call__(self, texts: Sequence[str]) -> list[Mapping[Sentiment, float]]:
        return [self._judged(text) for text in texts]

    def _judged(self, text: str) -> Mapping[Sentiment, float]:
        from dialog.text import detect_language

        language: Language = "zh" if detect_language(text) == "zh" else "en"
        names = NAMES[language]
        choice = self._choosers[language].choose(text, list(names.values()))
        return dict(zip(names, choice.probabilities, strict=True))
