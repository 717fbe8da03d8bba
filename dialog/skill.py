"""What a skill is, what it is given, and what it may use.

A skill has two faces. In a conversation the router asks `matches` and the turn
calls `run`, which streams events. Outside of one, a skill that is also a
`Worker` turns records into records: `spec.input` says what goes in, one at a
time or a file of them (`instructrec skill run NAME --in FILE`), `spec.output`
what comes out. Both faces are given the same `Tools`. Skills join through the
entry point `instructrec.skills`, a class or a function without arguments.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pydantic import BaseModel, Field, JsonValue

from dialog.events import Event
from dialog.state import DialogState
from dialog.values import FinishReason, Language, Message, Mode, Passage, SearchResult, Value

if TYPE_CHECKING:
    from dialog.protocols import Embedder, LanguageModel, Retriever
    from dialog.settings import Settings


class SkillSpec(Value):
    """What a skill is, for the router, for `/skills` and for the reply.

    Attributes:
        input: the shape of the records the skill works on; None where it works in conversations alone.
        output: the shape of what it makes of one.
        cases: a JSONL file of `{"language", "input", "expect"}` that `skill test` tries; `expect` holds
            the fields of the output that must be equal.
        titles: what a person calls it, for the question which of two is meant; the name where there is none.
    """

    name: str
    description: str
    languages: tuple[Language, ...] = ("zh", "en")
    input: type[BaseModel] | None = None
    output: type[BaseModel] | None = None
    cases: Path | None = None
    titles: Mapping[Language, str] = Field(default_factory=dict)


class Tools(Protocol):
    """What a skill may use; each part is opened when it is first asked for."""

    @property
    def model(self) -> LanguageModel:
        """The configured language model. Raises ModelError."""
        ...

    @property
    def embedder(self) -> Embedder:
        """The configured embedder; nothing needs to be indexed. Raises ConfigError, KnowledgeError."""
        ...

    @property
    def retriever(self) -> Retriever | None:
        """The knowledge base, None where nothing was indexed. Raises KnowledgeError."""
        ...

    @property
    def settings(self) -> Settings:
        """The configuration's values."""
        ...

    @property
    def actions(self) -> Container[str]:
        """The names of the actions that the program declares; any other one fails when it is proposed."""
        ...

    def options(self, skill: str) -> Mapping[str, JsonValue]:
        """The table `[skills.options.NAME]` of the configuration; empty where there is none."""
        ...


class SkillTurn(Protocol):
    """A turn in a skill's hands: what was said and found, and the ways to answer."""

    @property
    def text(self) -> str: ...

    @property
    def language(self) -> Language: ...

    @property
    def passages(self) -> Sequence[Passage]: ...

    @property
    def found(self) -> SearchResult | None:
        """What the search gave, with its confidence; None without a knowledge base."""
        ...

    @property
    def history(self) -> Sequence[Message]:
        """The turns before this one, oldest first."""
        ...

    @property
    def state(self) -> DialogState:
        """Intent, slots, hand-off and instructions as they stood before this turn."""
        ...

    @property
    def tools(self) -> Tools: ...

    def answer(self, instruction: str = "", *, question: str | None = None) -> Iterator[Event]:
        """The grounded answer of the turn pipeline: generate, check against the passages, or quote.

        Args:
            instruction: told to the model in this turn, besides what stands.
            question: searched for anew and answered instead of `text`: a part of it, or what the user
                asked before and has now completed.
        """
        ...

    def generate(self, instruction: str = "") -> Iterator[Event]:
        """What the model writes, checked against nothing; it admits a language that it does not write."""
        ...

    def say(
        self, text: str, *, mode: Mode = "fixed", finish_reason: FinishReason = "stop"
    ) -> Iterator[Event]:
        """The skill's own words; `mode` is "generated" if a model wrote them, "template" if approved."""
        ...

    def note_intent(self, intent: str | None, confidence: float) -> None:
        """Record what the user wants, with the reply."""
        ...

    def set_slot(self, name: str, value: Any) -> None:
        """Record a slot's value, with the reply; None clears it."""
        ...

    def enter(self, skill: str | None) -> None:
        """From the next turn on `skill` has the conversation; None gives it back to the router."""
        ...

    def hand_off(self, reason: str, *, briefing: str | None = None) -> Iterator[Event]:
        """Say that a person takes over, and hand over; the briefing is the last exchanges by default."""
        ...


class Skill(Protocol):
    """One ability of the agent."""

    @property
    def spec(self) -> SkillSpec: ...

    def matches(self, turn: SkillTurn) -> float:
        """How well the turn fits this skill, 0 to 1; cheap, for every skill is asked at every turn."""
        ...

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        """Answer the turn. Raises SkillError."""
        ...


@runtime_checkable
class Leavable(Protocol):
    """What a skill also offers that has several matters under way while it has the conversation."""

    def leave(self, turn: SkillTurn) -> Iterator[Event]:
        """The user drops the matter ("never mind"): tidy up, say so, and go on with another or leave.

        A skill that is not `Leavable` is left, and that is said for it.
        """
        ...


@runtime_checkable
class Worker(Protocol):
    """What a skill also offers that works on records."""

    def work(self, items: Sequence[Any], tools: Tools) -> Iterator[BaseModel]:
        """One `spec.output` for each `spec.input`, in order, as they are ready. Raises SkillError."""
        ...


__all__ = ["Leavable", "Skill", "SkillSpec", "SkillTurn", "Tools", "Worker"]
