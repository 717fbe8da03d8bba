"""A skill made of a `SKILL.md`: wanted by trigger or by likeness, answering with its body as an instruction.

How near a turn is to the examples is told against how near it is to sentences
about nothing in particular, because embedders differ in what they call near.

    skills = prompt_skills(folders.skills.values())
    skills[0].matches(turn)      # 0.9 where a trigger occurs, else from the embedder
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn
from dialog.skill_folder import SkillFile
from dialog.text import normalise, phrase_pattern, words

if TYPE_CHECKING:
    import numpy as np

    from dialog.protocols import Embedder

_TRIGGERED = 0.9
_BACKGROUND = (
    "Hello, I have a question.",
    "Can you help me with something?",
    "What is the weather like today?",
    "Tell me more about it.",
    "Thank you, that is all.",
    "您好，我想问个问题。",
    "能帮我一个忙吗？",
    "今天天气怎么样？",
    "请再详细说一说。",
    "谢谢，没有别的事了。",
)
_MIDDLE, _WIDTH = 0.03, 0.015
"""Logistic curve over how much nearer a turn is to an example than to the background.

Fitted with the default embedder on 72 pairs of a message and a skill of our own, zh and en."""


class Nearness:
    """How near turns are to texts; what was embedded once is kept, of turns the last. Thread-safe."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, str], np.ndarray] = {}
        self._turn: tuple[tuple[str, str], np.ndarray] | None = None
        self._lock = Lock()

    def to(self, texts: Sequence[str], said: str, embedder: Embedder) -> float:
        """Cosine of `said` with the nearest of `texts` less that with the nearest of the background."""
        with self._lock:
            vector = self._said(said, embedder)
            own = max(float(self._known(text, embedder) @ vector) for text in texts)
            other = max(float(self._known(text, embedder) @ vector) for text in _BACKGROUND)
        return own - other

    def _said(self, said: str, embedder: Embedder) -> np.ndarray:
        key = (embedder.fingerprint, said)
        if self._turn is None or self._turn[0] != key:
            self._turn = (key, embedder.embed_queries([said])[0])
        return self._turn[1]

    def _known(self, text: str, embedder: Embedder) -> np.ndarray:
        key = (embedder.fingerprint, text)
        if key not in self._vectors:
            self._vectors[key] = embedder.embed_queries([text])[0]
        return self._vectors[key]


class PromptSkill:
    """Implements `dialog.skill.Skill`; several may share one `Nearness`."""

    def __init__(self, file: SkillFile, nearness: Nearness | None = None) -> None:
        self.spec = SkillSpec(
            name=file.name, description=file.description, languages=file.languages, titles=file.titles
        )
        self._file = file
        self._nearness = nearness or Nearness()
        self._triggers = [phrase_pattern(one) for one in file.triggers if one.strip()]

    def matches(self, turn: SkillTurn) -> float:
        said = normalise(turn.text)
        if any(trigger.search(said) for trigger in self._triggers):
            return _TRIGGERED
        if not words(said):
            return 0.0
        likened = (self._file.description, *self._file.examples)
        gap = self._nearness.to(likened, turn.text, turn.tools.embedder)
        return 1 / (1 + math.exp(-(gap - _MIDDLE) / _WIDTH))

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        instruction = self._file.wordings.get(turn.language) or self._file.body
        return turn.answer(instruction) if self._file.grounded else turn.generate(instruction)


def prompt_skills(files: Iterable[SkillFile]) -> list[PromptSkill]:
    """The skills of some files, which embed a turn once between them."""
    nearness = Nearness()
    return [PromptSkill(file, nearness) for file in files]
