"""One turn of customer service in hand: what is known, how far it is, and the ways to note and to speak.

Made anew for every turn from the conversation's state, and gone after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from dialog.errors import ConfigError
from dialog.events import Event
from dialog.skill import SkillTurn
from dialog.templates import fill
from dialog.text import detect_language
from dialog.values import Language
from skills.support.briefing import briefing
from skills.support.flows import PROGRESS, Bilingual, Flow, Flows
from skills.support.progress import Progress
from skills.support.reading import clean
from skills.support.words import Saying, say

NAME = "support"
LookUp = Callable[[Mapping[str, str]], Mapping[str, str] | None]
"""What a program knows about slots: more values for texts and rules, or None where there is no such thing."""


class Case:
    """The customer's matter during one turn.

    Attributes:
        text: the message, `clean`.
        values: the slots that have a value, with what this turn added.
    """

    def __init__(
        self, turn: SkillTurn, *, flows: Flows, today: date, lookups: Mapping[str, LookUp] | None = None
    ) -> None:
        self.turn = turn
        self.flows = flows
        self.today = today
        self.text = clean(turn.text)
        self.language = _language(turn)
        slots = {name: slot.value for name, slot in turn.state.slots.items()}
        self.progress = Progress.of(slots)
        self.values = {name: str(value) for name, value in slots.items() if name != PROGRESS}
        self.intent = (turn.state.intent, turn.state.intent_confidence)
        self._lookups = lookups or {}

    @property
    def flow(self) -> Flow | None:
        """The running flow; None where there is none, or the file no longer has it."""
        return self.flows.flows.get(self.progress.flow or "")

    def put(self, name: str, value: str | None) -> None:
        """Record a slot, or clear it."""
        if value is None:
            if self.values.pop(name, None) is None:
                return
        else:
            self.values[name] = value
        self.turn.set_slot(name, value)

    def move(self, progress: Progress) -> None:
        """Record how far things are, and keep the conversation as long as something is under way."""
        if progress == self.progress:
            return
        busy, was_busy = progress.flow or progress.question, self.progress.flow or self.progress.question
        if bool(busy) != bool(was_busy):
            self.turn.enter(NAME if busy else None)
        self.progress = progress
        self.turn.set_slot(PROGRESS, progress.recorded())

    def step(self, **changes: Any) -> None:
        """Record changes of the progress."""
        self.move(self.progress.model_copy(update=changes))

    def facts(self, flow: Flow) -> dict[str, str] | None:
        """The flow's values and what the program knows about them; None where it knows of no such thing.

        Raises:
            ConfigError: the program gave no such lookup.
        """
        values = {name: self.values[name] for name in flow.all_slots if name in self.values}
        if flow.lookup is None or any(name not in values for name in flow.lookup.slots):
            return values
        look_up = self._lookups.get(flow.lookup.name)
        if look_up is None:
            given = ", ".join(self._lookups) or "none"
            raise ConfigError(
                f"the flows look up {flow.lookup.name!r}, but the program gave {given}; "
                f"make the skill with Support(lookups={{{flow.lookup.name!r}: ...}})"
            )
        more = look_up(values)
        return None if more is None else {**more, **values}

    def filled(self, text: Bilingual, values: Mapping[str, str]) -> str:
        """A text of the flow file with its values; what has none, or none of its kind, is shown as a dash."""
        shown = {name: self.shown(name, value) for name, value in values.items()}
        filled = fill(text.in_language(self.language), shown)
        if not filled.needs:
            return filled.text
        return fill(text.in_language(self.language), {**shown, **dict.fromkeys(filled.needs, "–")}).text

    def shown(self, name: str, value: str) -> str:
        spec = self.flows.slots.get(name)
        return value if spec is None else spec.shown(value, self.language)

    def phrase(self, saying: Saying, **values: str) -> str:
        return say(saying, language=self.language, **values)

    def say(self, *parts: str) -> Iterator[Event]:
        """The reply, in the words of the flow file."""
        yield from self.turn.say(self.joined(*parts), mode="template")

    def joined(self, *parts: str) -> str:
        return ("" if self.language == "zh" else " ").join(part for part in parts if part)

    def hand_off(self, reason: str) -> Iterator[Event]:
        """A person takes over, who is told what is known; nothing is under way then."""
        told = briefing(
            self.turn,
            flows=self.flows,
            progress=self.progress,
            values={name: self.shown(name, value) for name, value in self.values.items()},
            intent=self.intent,
            language=self.language,
        )
        self.move(Progress())
        yield from self.turn.hand_off(reason, briefing=told)


def _language(turn: SkillTurn) -> Language:
    """The turn's; of a message that has none, that of those before."""
    if turn.language != "und":
        return turn.language
    said = (detect_language(message.content) for message in reversed(turn.history) if message.role == "user")
    return next((language for language in said if language != "und"), "und")
