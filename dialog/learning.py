"""What a deployment learns from ratings: which variant of an instruction to use, and what it earned.

    learning = Learning(settings.instructions, store)
    learning.picked(message, conversation)    # entries that go before the user's words
    learning.count(conversation)              # after a rating was recorded
    learning.explain(), learning.reset("tone")

A picked variant joins the conversation's stack as an instruction of the
deployment, and stands until a reply made with it is rated: a conversation does
not change its manner between two turns, nor the beginning of its prompt. The
pick is drawn from the place in the conversation, so a preview shows the turn.

The record is what counts. A rating is recorded first and counted after, and
the ids of counted ones are kept with the counts in one value, replaced by
compare-and-set: each rating counts once, whoever crashes or is slow in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from pydantic import Field, JsonValue, ValidationError

from dialog.conversation import Conversation
from dialog.draft import language_spoken
from dialog.entries import Entry, InstructionSet, Rated, Replied, UserSaid, new_id
from dialog.errors import ConfigError, StaleHead, StoreError
from dialog.feedback import Arm, Choice, Explained
from dialog.instructions import Instruction, resolve
from dialog.protocols import NamedValues, Setting, Store
from dialog.state import DialogState, fold
from dialog.values import Language, Reply, Value
from dialog.variants import InstructionsSection, choice_of
from dialog.wishes import language_wished, wishes_in

MAX_COUNTED = 256
"""Ratings whose ids are kept to tell whether they were counted; older ones were."""
_ATTEMPTS = 100


class LearnedChoice(Value):
    """A choice and what ratings said of its variants, the likeliest to be picked first."""

    name: str
    variants: tuple[Explained, ...]


class Remembered(Value):
    """What the store keeps of a choice, also of variants that are no longer declared.

    `counted` are the newest counted ratings; `since` is an id, and ratings from before it do not count.
    """

    arms: dict[str, Arm] = Field(default_factory=dict)
    counted: tuple[str, ...] = ()
    since: str = ""

    def is_counted(self, rated_id: str) -> bool:
        """Ids sort by time, so what is older than all of a full list was counted."""
        return (
            rated_id <= self.since
            or rated_id in self.counted
            or (len(self.counted) >= MAX_COUNTED and rated_id < min(self.counted))
        )


class Learning:
    """The choices of a deployment. Holds no state of its own; safe to share between threads."""

    def __init__(self, section: InstructionsSection, store: Store) -> None:
        """Raises ConfigError if choices are declared and the store cannot keep what is learned."""
        if section.choices and not isinstance(store, NamedValues):
            raise ConfigError(
                f"instructions.choices needs a store with get_setting and put_setting; {store!r} has none"
            )
        self._section = section
        self._store = store

    def picked(self, message: UserSaid, conversation: Conversation) -> tuple[InstructionSet, ...]:
        """What changes on the stack before `message`: variants that begin to stand or no longer do."""
        before = _at(conversation, message.parent)
        state = fold(before)
        standing = _standing(state)
        if not (self._section.choices or standing) or state.handoff.status == "human":
            return ()
        language = _language(message, before, state)
        wanted = {
            name: self._wanted(
                name, standing.get(name), language, place=f"{conversation.id}\0{before.head_id}"
            )
            for name in self._section.choices
        }
        gone = [one for one in standing.values() if one.id not in {other.id for other in wanted.values()}]
        new = [one for name, one in wanted.items() if standing.get(name) != one]
        entries: list[InstructionSet] = []
        for one in (*gone, *new):
            entries.append(
                InstructionSet(
                    id=new_id(),
                    parent=entries[-1].id if entries else message.parent,
                    time=message.time,
                    instruction=one,
                    active=one not in gone,
                )
            )
        return tuple(entries)

    def released(self, last: Entry, reply: Reply, conversation: Conversation) -> Iterator[InstructionSet]:
        """What follows a rating of `reply`, behind `last`: its choices are to be picked anew."""
        rated = {choice_of(variant) for variant in variants_used(reply)}
        parent = last.id
        for name, one in _standing(fold(conversation)).items():
            if name in rated:
                entry = InstructionSet(
                    id=new_id(), parent=parent, time=last.time, instruction=one, active=False
                )
                yield entry
                parent = entry.id

    def catch_up(self, conversation: Conversation) -> None:
        """Count what is not counted yet, if a variant is about to be picked. Raises StoreError."""
        if self._section.choices.keys() - _standing(fold(conversation)).keys():
            self.count(conversation)

    def count(self, conversation: Conversation) -> None:
        """Count every rating of the conversation that was not counted before. Raises StoreError."""
        ratings = [
            (entry, variant)
            for entry in conversation.entries()
            if isinstance(entry, Rated)
            for variant in _variants_rated(entry, conversation)
        ]
        for name in self._section.choices:
            own = [(entry, variant) for entry, variant in ratings if choice_of(variant) == name]
            if own:
                self._put(name, partial(self._counted, name, own))

    def explain(self) -> tuple[LearnedChoice, ...]:
        """Every declared choice, by name. Raises StoreError."""
        return tuple(
            LearnedChoice(name=name, variants=self._choice(name, self._kept(name)).explain())
            for name in sorted(self._section.choices)
        )

    def reset(self, name: str) -> None:
        """Forget what was learned of a choice.

        Raises:
            ValueError: no such choice is declared.
            StoreError: the store failed.
        """
        if name not in self._section.choices:
            known = ", ".join(sorted(self._section.choices)) or "none"
            raise ValueError(f"there is no choice {name!r}; instructions.choices declares: {known}")
        fresh = Remembered(since=new_id()).model_dump(mode="json")
        self._put(name, lambda _: fresh)

    def _wanted(self, name: str, now: Instruction | None, language: Language, *, place: str) -> Instruction:
        """The variant that stands, in the language that is now spoken; a new pick where none does."""
        variants = {one.id: one for one in self._section.variants(name, language=language)}
        if now is None or now.id not in variants:
            random = Random(f"{place}\0{name}".encode(errors="surrogatepass"))
            return variants[self._choice(name, self._kept(name)).pick(random).id]
        return now if language == "und" else variants[now.id]

    def _choice(self, name: str, kept: Remembered) -> Choice:
        variants = self._section.variants(name, language=None)
        return Choice(name=name, variants=variants, arms=kept.arms, memory=self._section.memory)

    def _counted(self, name: str, ratings: list[tuple[Rated, str]], setting: Setting) -> JsonValue:
        kept = _read(name, setting)
        choice, counted = self._choice(name, kept), kept.counted
        declared = {variant.id for variant in choice.variants}
        for rated, variant in ratings:
            if variant in declared and not kept.is_counted(rated.id):
                choice = choice.rated(variant, score=rated.score)
                counted = (*counted, rated.id)
        learned = Remembered(arms=choice.arms, counted=counted[-MAX_COUNTED:], since=kept.since)
        return learned.model_dump(mode="json")

    def _kept(self, name: str) -> Remembered:
        return _read(name, self._values.get_setting(_key(name)))

    def _put(self, name: str, make: Callable[[Setting], JsonValue]) -> None:
        """Replace the kept value by compare-and-set, made again whenever somebody else was first."""
        for _ in range(_ATTEMPTS):
            setting = self._values.get_setting(_key(name))
            value = make(setting)
            if value == setting.value:
                return
            try:
                self._values.put_setting(setting.name, value, expected_version=setting.version)
            except StaleHead:
                continue
            return
        raise StaleHead(f"choice {name!r} was changed by others {_ATTEMPTS} times in a row; try again")

    @property
    def _values(self) -> NamedValues:
        assert isinstance(self._store, NamedValues), "checked where choices are declared"
        return self._store


def variants_used(reply: Reply) -> tuple[str, ...]:
    """Ids of the variants that a reply was written under; none where its words are not the model's."""
    return tuple(ref for ref in reply.fit.kept if choice_of(ref)) if reply.mode == "generated" else ()


def _variants_rated(rated: Rated, conversation: Conversation) -> tuple[str, ...]:
    replied = conversation.entry(rated.reply_id) if rated.reply_id in conversation else None
    return variants_used(replied.reply) if isinstance(replied, Replied) else ()


def _at(conversation: Conversation, entry_id: str | None) -> Conversation:
    return Conversation.empty(conversation.id) if entry_id is None else conversation.switch(entry_id)


def _standing(state: DialogState) -> dict[str, Instruction]:
    named = ((choice_of(one.id), one) for one in state.instructions)
    return {name: one for name, one in named if name is not None}


def _language(message: UserSaid, before: Conversation, state: DialogState) -> Language:
    """That of the reply to come: what is wished for, else what the user speaks."""
    wished = language_wished((*resolve(state.instructions).active, *wishes_in(message.text)))
    return language_spoken(message.text, before) if wished == "und" else wished


def _key(name: str) -> str:
    return f"choice:{name}"


def _read(name: str, setting: Setting) -> Remembered:
    try:
        return Remembered() if setting.value is None else Remembered.model_validate(setting.value)
    except ValidationError as error:
        raise StoreError(
            f"what was learned of choice {name!r} is damaged; start again with "
            f"`instructrec choices --reset {name}`: {error.errors()[0]['msg']}"
        ) from error
