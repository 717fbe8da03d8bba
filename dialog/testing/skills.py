"""A turn and tools for a skill alone: no agent, no store, no model unless one is given.

turn = FixedTurn("Where is MK-10482?")
said = "".join(event.text for event in skill.run(turn) if isinstance(event, TextDelta))
turn.intent, turn.slots, turn.entered, turn.answered, turn.handed_off      # what the skill noted
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from dialog.errors import KnowledgeError, ModelError
from dialog.events import Event, TextDelta
from dialog.protocols import Embedder, LanguageModel, Retriever
from dialog.settings import Settings
from dialog.state import EMPTY, DialogState
from dialog.text import detect_language
from dialog.values import FinishReason, Language, Message, Mode, Passage, SearchResult


class FixedTools:
    """`skill.Tools` of the parts given; those that were not raise when they are asked for."""

    def __init__(
        self,
        *,
        model: LanguageModel | None = None,
        embedder: Embedder | None = None,
        retriever: Retriever | None = None,
        options: Mapping[str, Mapping[str, JsonValue]] | None = None,
        settings: Settings | None = None,
        actions: Collection[str] = (),
    ) -> None:
        self.actions = actions
        self.settings = settings or Settings()
        self.retriever = retriever
        self._model = model
        self._embedder = embedder
        self._options = options or {}

    @property
    def model(self) -> LanguageModel:
        if self._model is None:
            raise ModelError("these tools have no model; give FixedTools(model=...)")
        return self._model

    @property
    def embedder(self) -> Embedder:
        if self._embedder is None:
            raise KnowledgeError("these tools have no embedder; give FixedTools(embedder=...)")
        return self._embedder

    def options(self, skill: str) -> Mapping[str, JsonValue]:
        return self._options.get(skill, {})


class FixedTurn:
    """A `skill.SkillTurn` about a text; remembers what the skill did with it.

    Args:
        text: what the user says.
        language: the text's own by default.
        passages: what the search found, best first.
        history: the turns before.
        state: as it stood before the turn.
        tools: without parts by default.
        answer: the grounded answer of the turn.
    """

    def __init__(
        self,
        text: str,
        *,
        language: Language | None = None,
        passages: Sequence[Passage] = (),
        history: Sequence[Message] = (),
        state: DialogState = EMPTY,
        tools: FixedTools | None = None,
        answer: str = "I do not know.",
    ) -> None:
        self.text = text
        self.language: Language = language or detect_language(text)
        self.passages = passages
        self.found: SearchResult | None = None
        self.history = history
        self.state = state
        self.tools = tools or FixedTools()
        self.intent: tuple[str | None, float] | None = None
        self.slots: dict[str, Any] = {}
        self.entered: list[str | None] = []
        self.answered: list[str] = []
        self.handed_off: tuple[str, str | None] | None = None
        self.instructions: list[str] = []
        self.mode: Mode = "generated"
        self.finish_reason: FinishReason = "stop"
        self._answer = answer

    def answer(self, instruction: str = "", *, question: str | None = None) -> Iterator[Event]:
        self.instructions.append(instruction)
        self.answered.append(question or self.text)
        yield TextDelta(text=self._answer)

    def generate(self, instruction: str = "") -> Iterator[Event]:
        return self.answer(instruction)

    def say(
        self, text: str, *, mode: Mode = "fixed", finish_reason: FinishReason = "stop"
    ) -> Iterator[Event]:
        self.mode, self.finish_reason = mode, finish_reason
        if text:
            yield TextDelta(text=text)

    def note_intent(self, intent: str | None, confidence: float) -> None:
        self.intent = (intent, confidence)

    def set_slot(self, name: str, value: Any) -> None:
        self.slots[name] = value

    def enter(self, skill: str | None) -> None:
        self.entered.append(skill)

    def hand_off(self, reason: str, *, briefing: str | None = None) -> Iterator[Event]:
        self.handed_off = (reason, briefing)
        self.finish_reason = "handed_off"
        yield TextDelta(text="A colleague takes over.")
