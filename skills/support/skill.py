"""The skill: which part of customer service a turn is for, and single messages read for a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field

from dialog.errors import ConfigError
from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.values import Value
from skills.support.case import NAME, Case, LookUp
from skills.support.cues import wants_human
from skills.support.flows import Flows
from skills.support.intent import IntentClassifier, ZeroShot, understood
from skills.support.loading import load
from skills.support.opening import complete_question, open_matter
from skills.support.reading import clean, read
from skills.support.running import give_up, go_on

_MATCHES = 0.6
"""Above the grounded answer, which this skill gives, too, where no flow is wanted."""
_WITHOUT_FLOWS = 0.5

MakeClassifier = Callable[[Flows, Tools], IntentClassifier]


class SupportInput(Value):
    """One message of a customer."""

    text: str = Field(min_length=1)


class SupportOutput(Value):
    """What it asks for, and what it says already.

    Attributes:
        intent: the flow, None if it is for none of them.
        confidence: of the most likely flow.
        slots: of that flow, those the message gives unasked.
        wants_human: it asks for a person.
    """

    intent: str | None
    confidence: float
    slots: dict[str, str]
    wants_human: bool


def zero_shot(flows: Flows, tools: Tools) -> IntentClassifier:
    """The classifier that needs no training."""
    return ZeroShot(flows, tools.embedder)


class Support:
    """Customer service along declared flows; everything else from the documents, or by a person.

    Args:
        flows: the flows or their file; `skills.options.support.flows` of the configuration by default.
        lookups: what flows may look up, by name.
        classifier: makes the intent classifier.
        clock: today's date, which relative dates count from.
    """

    spec = SkillSpec(
        name=NAME,
        description="customer service along declared flows, with slots, confirmation, actions and hand-off",
        input=SupportInput,
        output=SupportOutput,
        cases=Path(__file__).with_name("cases.jsonl"),
        titles={"en": "customer service", "zh": "客服办理"},
    )

    def __init__(
        self,
        flows: Flows | Path | None = None,
        *,
        lookups: Mapping[str, LookUp] | None = None,
        classifier: MakeClassifier = zero_shot,
        clock: Callable[[], date] = date.today,
    ) -> None:
        self._given = flows
        self._lookups = lookups
        self._make_classifier = classifier
        self._clock = clock
        self._loaded: tuple[tuple[Path, int], Flows] | None = None
        self._made: tuple[Flows, Tools, IntentClassifier] | None = None

    def matches(self, turn: SkillTurn) -> float:
        has_flows = self._given is not None or bool(turn.tools.options(NAME).get("flows"))
        return _MATCHES if has_flows else _WITHOUT_FLOWS

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        """Answer the turn.

        Raises:
            ConfigError: the flow file is wrong, or looks up what the program does not give.
        """
        flows = self._flows(turn.tools)
        case = Case(turn, flows=flows, today=self._clock(), lookups=self._lookups)
        if wants_human(turn.text):
            yield from case.hand_off(case.phrase("asks_for_person"))
            return
        if case.progress.question is not None:
            completed = complete_question(case)
            if completed is not None:
                yield from completed
                return
        classifier = self._classifier(flows, turn.tools)
        if case.flow is not None:
            yield from go_on(case, case.flow, classifier)
        else:
            yield from open_matter(case, classifier)

    def leave(self, turn: SkillTurn) -> Iterator[Event]:
        """What was begun before the matter that is dropped is gone on with."""
        flows = self._flows(turn.tools)
        return give_up(Case(turn, flows=flows, today=self._clock(), lookups=self._lookups))

    def work(self, items: Sequence[Any], tools: Tools) -> Iterator[SupportOutput]:
        flows, today = self._flows(tools), self._clock()
        classifier = self._classifier(flows, tools)
        for item in items:
            intent = understood(classifier, item.text)
            flow, slots = flows.flows.get(intent.name or ""), {}
            for name in flow.all_slots if flow else ():
                found = read(clean(item.text), flows.slots[name], today=today, asked=False)
                values = {one.value for one in found if one.trouble is None}
                if len(values) == 1:
                    (slots[name],) = values
            yield SupportOutput(
                intent=intent.name,
                confidence=round(intent.confidence, 4),
                slots=slots,
                wants_human=wants_human(item.text),
            )

    def _flows(self, tools: Tools) -> Flows:
        """As given, or read again whenever the file has changed; no file, no flows."""
        if isinstance(self._given, Flows):
            return self._given
        path = self._given or tools.options(NAME).get("flows")
        if path is None:
            return Flows()
        if not isinstance(path, str | Path):
            raise ConfigError(f"skills.options.support.flows is {path!r}; give the path of a flow file")
        path = Path(path).expanduser()
        key = (path, path.stat().st_mtime_ns if path.is_file() else 0)
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = (key, load(path))
        return self._loaded[1]

    def _classifier(self, flows: Flows, tools: Tools) -> IntentClassifier:
        """Made once for the flows and tools: what it holds is theirs and no conversation's."""
        if self._made is None or self._made[0] is not flows or self._made[1] is not tools:
            self._made = (flows, tools, self._make_classifier(flows, tools))
        return self._made[2]
