"""What a flow file may say: slots, flows, when a person is fetched. Values only; `loading` reads the file.

A flow is an intent with what it needs to know, what it proposes and what it
says. Every text that a customer sees is there in both languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

import regex
from pydantic import Field, field_validator, model_validator

from dialog.templates import placeholders
from dialog.values import Language, Value

Kind = Literal["text", "name", "choice", "date", "money", "number", "id"]
PROGRESS = "flow"
"""The slot in which the skill keeps how far a flow is; no flow file may declare it."""


class Bilingual(Value):
    """One text in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def in_language(self, language: Language) -> str:
        """English where the language is not known."""
        return self.zh if language == "zh" else self.en


class Examples(Value):
    """Sentences a customer might say."""

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    def all(self) -> tuple[str, ...]:
        return (*self.zh, *self.en)


class SlotSpec(Value):
    """One thing to know.

    Attributes:
        ask: the question that is put to the customer.
        hint: what a valid answer looks like; said when one was not understood.
        pattern: of an `id`: a regular expression for the whole identifier, in capitals where it has letters.
        choices: of a `choice`: by value, how customers call it; the first is how it is shown to them.
        known: of a `name`: the names there are; none allows any.
        least, most: of `money` and `number`: the range, both ends included.
        from_days, to_days: of a `date`: the range relative to today, both ends included.
        keep: a later flow may use the value without asking again.
    """

    kind: Kind
    label: Bilingual
    ask: Bilingual
    hint: Bilingual | None = None
    pattern: str | None = None
    choices: dict[str, Examples] = Field(default_factory=dict)
    known: tuple[str, ...] = ()
    least: Decimal | None = None
    most: Decimal | None = None
    from_days: int | None = None
    to_days: int | None = None
    keep: bool = False

    def shown(self, value: str, language: Language) -> str:
        """The value in the customer's language."""
        called = self.choices.get(value, Examples())
        wordings = called.zh if language == "zh" else called.en
        return wordings[0] if wordings else value

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> SlotSpec:
        if (self.kind == "id") != (self.pattern is not None):
            raise ValueError("`pattern` belongs to kind 'id' and only there; add it or remove it")
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("`choices` belong to kind 'choice' and only there; add them or remove them")
        if self.pattern is not None:
            try:
                regex.compile(self.pattern)
            except regex.error as error:
                raise ValueError(f"`pattern` is no regular expression: {error}; correct it") from error
        return self


class Rule(Value):
    """What ends a flow early: a comparison with one slot (or looked-up value), and what follows.

    Attributes:
        slot: compared where it has a value.
        among: any of these, exactly.
        above, below: of numbers and amounts, whatever the currency.
        older_than_days: of dates, counted from today.
        hand_off: why a person takes over.
        refuse: what the customer is told; the flow is over.
    """

    slot: str
    among: tuple[str, ...] | None = None
    above: Decimal | None = None
    below: Decimal | None = None
    older_than_days: int | None = None
    hand_off: Bilingual | None = None
    refuse: Bilingual | None = None

    @model_validator(mode="after")
    def _compares_once_and_does_one_thing(self) -> Rule:
        compared = [self.among, self.above, self.below, self.older_than_days]
        if sum(one is not None for one in compared) != 1:
            raise ValueError("a rule compares once; give one of among, above, below, older_than_days")
        if (self.hand_off is None) == (self.refuse is None):
            raise ValueError("a rule does one thing; give `hand_off` or `refuse`")
        return self

    def applies(self, values: Mapping[str, str], *, today: date) -> bool:
        """Whether the slot has a value that the comparison holds for."""
        value = values.get(self.slot)
        if value is None:
            return False
        if self.among is not None:
            return value in self.among
        if self.older_than_days is not None:
            return date.fromisoformat(value) < today - timedelta(days=self.older_than_days)
        amount = Decimal(value.split()[0])
        return amount > self.above if self.above is not None else amount < (self.below or Decimal(0))


class Proposal(Value):
    """The action a flow proposes once it is confirmed; `arguments` by name, each the name of a slot."""

    name: str = Field(min_length=1)
    arguments: dict[str, str] = Field(default_factory=dict)


class Lookup(Value):
    """A reading function of the program (`Support(lookups=...)`), called when `slots` have values."""

    name: str = Field(min_length=1)
    slots: tuple[str, ...] = Field(min_length=1)


class Flow(Value):
    """One intent from its first sentence to its end.

    Attributes:
        slots: asked for in this order; `optional` ones are taken when they are said.
        confirm: asked before anything is proposed; needed where there is an action.
        reply: the last word, where the flow does not end with a person.
        hand_off: why a person takes over when everything is known.
    """

    description: Bilingual
    examples: Examples
    slots: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    lookup: Lookup | None = None
    rules: tuple[Rule, ...] = ()
    confirm: Bilingual | None = None
    action: Proposal | None = None
    reply: Bilingual | None = None
    hand_off: Bilingual | None = None

    @property
    def all_slots(self) -> tuple[str, ...]:
        return (*self.slots, *self.optional)

    def texts(self) -> Iterable[tuple[str, Bilingual]]:
        """The texts with placeholders, by the name of their field."""
        named = {"confirm": self.confirm, "reply": self.reply}
        yield from ((name, text) for name, text in named.items() if text is not None)
        yield from ((f"rules.{at}", rule.refuse) for at, rule in enumerate(self.rules) if rule.refuse)

    @model_validator(mode="after")
    def _ends_somehow(self) -> Flow:
        if (self.reply is None) == (self.hand_off is None):
            raise ValueError("a flow ends with one of `reply` and `hand_off`; give one")
        if self.action is not None and self.confirm is None:
            raise ValueError("an action needs `confirm`; say what the customer agrees to")
        if not self.examples.zh or not self.examples.en:
            raise ValueError("`examples` need sentences in zh and en; add some")
        return self


class HandOff(Value):
    """When a person is fetched whatever the flow: that often not understood, that often no answer."""

    max_tries: int = Field(default=2, ge=1)
    unanswered: int = Field(default=2, ge=1)


class Flows(Value):
    """A whole flow file.

    Attributes:
        out_of_scope: sentences that belong to no flow, besides those the skill brings.
        threshold: the confidence from which an intent is believed.
    """

    slots: dict[str, SlotSpec] = Field(default_factory=dict)
    flows: dict[str, Flow] = Field(default_factory=dict)
    out_of_scope: Examples = Examples()
    hand_off: HandOff = HandOff()
    threshold: float = Field(default=0.5, gt=0, lt=1)

    @field_validator("slots")
    @classmethod
    def _leave_ours(cls, slots: dict[str, SlotSpec]) -> dict[str, SlotSpec]:
        if PROGRESS in slots:
            raise ValueError(f"the name {PROGRESS!r} is the skill's own; choose another")
        return slots

    @model_validator(mode="after")
    def _names_are_declared(self) -> Flows:
        for name, flow in self.flows.items():
            self._check(f"flows.{name}.slots", flow.all_slots, self.slots)
            if flow.lookup is not None:
                self._check(f"flows.{name}.lookup.slots", flow.lookup.slots, flow.all_slots)
            if flow.action is not None:
                self._check(f"flows.{name}.action", flow.action.arguments.values(), flow.all_slots)
            if flow.lookup is None:  # what a lookup finds is not known here
                self._check(f"flows.{name}.rules", (rule.slot for rule in flow.rules), flow.all_slots)
                for field, text in flow.texts():
                    used = {*placeholders(text.zh), *placeholders(text.en)}
                    self._check(f"flows.{name}.{field}", sorted(used), flow.all_slots)
        return self

    @staticmethod
    def _check(where: str, used: Iterable[str], declared: Iterable[str]) -> None:
        known = tuple(declared)
        for name in used:
            if name not in known:
                raise ValueError(
                    f"{where}: there is no slot {name!r}; declare it or use one of {', '.join(known)}"
                )


__all__ = [
    "PROGRESS",
    "Bilingual",
    "Examples",
    "Flow",
    "Flows",
    "HandOff",
    "Kind",
    "Lookup",
    "Proposal",
    "Rule",
    "SlotSpec",
]
