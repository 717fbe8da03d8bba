"""What can be done to a conversation besides talking: moves of the head, ratings, instructions, hand-off.

`DialogAgent` inherits these. Every call is durable when it returns, and none
deletes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from dialog.conversation import Conversation
from dialog.entries import (
    Entry,
    HandedOff,
    HumanSaid,
    InstructionSet,
    Rated,
    Resumed,
    SkillEntered,
    SlotSet,
    new_id,
)
from dialog.instructions import Instruction, Scope
from dialog.learning import LearnedChoice, Learning
from dialog.ledger import Ledger
from dialog.recording import briefing_of, rated_entries, replied_entry
from dialog.state import DialogState, fold
from dialog.variants import choice_of


class Conversations:
    """The conversations of a store, and what people do to them."""

    @property
    def ledger(self) -> Ledger:
        """Where conversations are read and written."""
        raise AssertionError("a subclass says which store")

    @property
    def learning(self) -> Learning:
        """What ratings teach the deployment."""
        raise AssertionError("a subclass says what is learned")

    def history(self, conversation_id: str) -> Conversation:
        """The whole record, all branches; empty for an unknown id."""
        return self.ledger.open(conversation_id)

    def state(self, conversation_id: str) -> DialogState:
        """What the conversation has come to (`dialog.state`)."""
        return fold(self.history(conversation_id))

    def undo(self, conversation_id: str) -> Conversation:
        """One user turn back. Raises ValueError if there is none."""
        return self.ledger.move(conversation_id, Conversation.undo)

    def redo(self, conversation_id: str) -> Conversation:
        """One undone user turn forward. Raises ValueError if there is none."""
        return self.ledger.move(conversation_id, Conversation.redo)

    def switch(self, conversation_id: str, tip: str) -> Conversation:
        """Go on from another branch's end (`Conversation.tips`). Raises ValueError if it is unknown."""
        return self.ledger.move(conversation_id, lambda conversation: conversation.switch(tip))

    def fork(self, conversation_id: str, new_conversation_id: str) -> Conversation:
        """Another conversation that begins with this one's path.

        Raises:
            ValueError: `new_conversation_id` is this one or already in use.
        """
        forked = self.history(conversation_id).fork(new_conversation_id)

        def entries(taken: Conversation) -> tuple[Entry, ...]:
            if taken.num_entries:
                raise ValueError(f"conversation {new_conversation_id!r} already exists; choose another id")
            return forked.path()

        return self.ledger.append(new_conversation_id, entries)

    def rate(
        self,
        conversation_id: str,
        score: float,
        *,
        reply_id: str | None = None,
        reason: str = "",
        better: str | None = None,
    ) -> Conversation:
        """Rate a reply, -1 (bad) to 1 (good); the last one unless `reply_id` names another.

        A reason ("too long") or the rater's own wording (`better`) becomes a
        feedback instruction of the conversation where the rules recognise it.
        The score counts for the variants (`choices`) that the reply was written under.

        Raises:
            ValueError: there is no such reply, or the score is out of range.
            StoreError: the store failed; a rating it recorded is counted with the next turn.
        """

        def rated(conversation: Conversation) -> list[Entry]:
            replied = replied_entry(conversation, reply_id)
            rating = Rated(
                **_next(conversation), reply_id=replied.id, score=score, reason=reason, better=better
            )
            entries = rated_entries(rating, replied.reply)
            return [*entries, *self.learning.released(entries[-1], replied.reply, conversation)]

        conversation = self.ledger.append(conversation_id, rated)
        self.learning.count(conversation)
        return conversation

    def choices(self) -> tuple[LearnedChoice, ...]:
        """The choices of `instructions.choices`: each variant's ratings, mean and share, likeliest first."""
        return self.learning.explain()

    def reset_choice(self, name: str) -> None:
        """Forget what ratings taught of a choice. Raises ValueError if none is declared by that name."""
        self.learning.reset(name)

    def instruct(
        self,
        conversation_id: str,
        text: str,
        *,
        topic: str | None = None,
        scope: Scope = "conversation",
        priority: int = 0,
        weight: float = 1.0,
    ) -> Instruction:
        """Add a standing wish to the instruction stack and return it.

        Args:
            weight: how strongly an instruction decoder heeds it; 0 mutes it; no effect without one.
        """
        instruction = Instruction(
            id=new_id(),
            text=text,
            source="wish",
            scope=scope,
            priority=priority,
            topic=topic,
            weight=weight,
        )
        self.ledger.append(conversation_id, lambda it: [InstructionSet(**_next(it), instruction=instruction)])
        return instruction

    def drop_instruction(self, conversation_id: str, instruction_id: str) -> Conversation:
        """Take an instruction off the stack.

        Raises:
            ValueError: it is not on the stack, or it is the deployment's to choose.
        """

        def dropped(conversation: Conversation) -> list[Entry]:
            if (name := choice_of(instruction_id)) is not None:
                raise ValueError(
                    f"{instruction_id!r} is picked by the deployment (instructions.choices); "
                    f"a wish on {name!r} wins over it"
                )
            for instruction in fold(conversation).instructions:
                if instruction.id == instruction_id:
                    return [InstructionSet(**_next(conversation), instruction=instruction, active=False)]
            raise ValueError(f"no instruction {instruction_id!r} on the stack of {conversation.id!r}")

        return self.ledger.append(conversation_id, dropped)

    def set_slots(
        self, conversation_id: str, values: Mapping[str, JsonValue], *, source: str
    ) -> Conversation:
        """What is known about the conversation from elsewhere; None forgets a slot.

        Approved answers take their values from here, and the model is shown them.

        Args:
            source: where the values are from ("login", "orders database"): their provenance.
        """

        def entries(conversation: Conversation) -> list[Entry]:
            last, found = _next(conversation), list[Entry]()
            for name, value in values.items():
                found.append(SlotSet.model_validate({**last, "name": name, "value": value, "source": source}))
                last = {**last, "id": new_id(), "parent": found[-1].id}
            return found

        return self.ledger.append(conversation_id, entries)

    def enter_skill(self, conversation_id: str, skill: str | None) -> Conversation:
        """Put a skill in charge of the conversation, or give it back to the router."""
        return self.ledger.append(conversation_id, lambda it: [SkillEntered(**_next(it), skill=skill)])

    def hand_off(
        self,
        conversation_id: str,
        *,
        reason: str = "",
        briefing: str = "",
        timeout_s: float | None = None,
    ) -> Conversation:
        """Ask for a person: the conversation waits until `take`; after `timeout_s` the agent has it back."""
        return self._move_to(
            conversation_id,
            lambda it: HandedOff(
                **_next(it),
                status="waiting",
                reason=reason,
                briefing=briefing or briefing_of(it),
                timeout_s=timeout_s,
            ),
        )

    def take(self, conversation_id: str, author: str) -> Conversation:
        """A person takes the conversation; the agent is silent until `resume`."""
        return self._move_to(
            conversation_id, lambda it: HandedOff(**_next(it), status="human", reason=f"taken by {author}")
        )

    def say_as_human(self, conversation_id: str, text: str, *, author: str) -> Conversation:
        """Record a person's answer. Raises ValueError unless a person has the conversation."""

        def said(conversation: Conversation) -> list[Entry]:
            if fold(conversation).handoff.status != "human":
                raise ValueError(
                    f"conversation {conversation.id!r} is not in a person's hands; take it first"
                )
            return [HumanSaid(**_next(conversation), text=text, author=author)]

        return self.ledger.append(conversation_id, said)

    def resume(self, conversation_id: str, *, reason: str = "") -> Conversation:
        """Give the conversation back to the agent, which sees nothing of what was said meanwhile."""
        return self.ledger.append(conversation_id, lambda it: [Resumed(**_next(it), reason=reason)])

    def _move_to(self, conversation_id: str, make: Callable[[Conversation], HandedOff]) -> Conversation:
        def entries(conversation: Conversation) -> list[Entry]:
            entry, handoff = make(conversation), fold(conversation).handoff
            if not handoff.may_become(entry.status):
                raise ValueError(f"conversation {conversation.id!r} is already {handoff.status!r}")
            return [entry]

        return self.ledger.append(conversation_id, entries)


def _next(conversation: Conversation) -> dict[str, object]:
    """Id, parent and time of an entry that follows the head."""
    return {"id": new_id(), "parent": conversation.head_id, "time": datetime.now(UTC)}
