"""A summary made of the source's own sentences, chosen by learned weights; no model is asked.

Of a conversation one sentence says what the user wants and two what the agent
did, as people summarise them; of a document the best sentences. The weights
(`weights.toml`) were learned by ridge regression on English customer service
(tweetsumm, train part, `python -m benchmarks.skills.summarize --tune`); since
no feature knows a word of a language, Chinese uses the same.

    chosen = extracted(told_in(messages), max_words=60)
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from dialog.text import words
from dialog.values import Language
from skills.summarize.sentences import NAMES, Speaker, Told, features

if TYPE_CHECKING:
    import numpy as np

WANTED: Mapping[Speaker, int] = {"user": 1, "agent": 2, "": 3}
"""How many sentences of each speaker a summary has; chosen on the train part."""
LABELS: Mapping[str, Mapping[Speaker, str]] = {
    "en": {"user": "Customer: ", "agent": "Agent: ", "": ""},
    "zh": {"user": "客户：", "agent": "客服：", "": ""},
}


def extracted(told: Sequence[Told], *, max_words: int, wanted: Mapping[Speaker, int] = WANTED) -> list[Told]:
    """The sentences to keep, in their order, together at most `max_words` (a Han character is one)."""
    if not told:
        return []
    scores = scored(told)
    chosen: list[int] = []
    left = max_words
    room = dict(wanted)
    for at in sorted(range(len(told)), key=lambda at: (-scores[at], at)):
        one = told[at]
        num_words = len(words(one.text))
        if room.get(one.speaker, 0) and num_words <= left and one.text not in {told[n].text for n in chosen}:
            chosen.append(at)
            left -= num_words
            room[one.speaker] -= 1
    return [told[at] for at in sorted(chosen)]


def scored(told: Sequence[Told]) -> list[float]:
    """How much each sentence belongs into a summary; higher is more."""
    rows = features(told)
    return [float(row @ _weights(one.speaker)) for row, one in zip(rows, told, strict=True)]


def written(chosen: Sequence[Told], language: Language) -> str:
    """Sentences as a text: who says what, where there are speakers."""
    labels = LABELS.get(language, LABELS["en"])
    gap = "" if language == "zh" else " "
    runs = [(speaker, gap.join(one.text for one in run)) for speaker, run in groupby(chosen, _speaker)]
    return ("\n" if language == "zh" else " ").join(f"{labels[speaker]}{text}" for speaker, text in runs)


def _speaker(one: Told) -> Speaker:
    return one.speaker


def _weights(speaker: Speaker) -> np.ndarray:
    """Of a document, where nobody speaks, the mean of both speakers'."""
    import numpy as np

    table = _table()
    rows = [table[name] for name in ([speaker] if speaker else ["user", "agent"])]
    found: np.ndarray = np.mean([[row[name] for name in NAMES] for row in rows], axis=0)
    return found


@cache
def _table() -> Mapping[str, Mapping[str, float]]:
    text = (files("skills") / "summarize" / "weights.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
