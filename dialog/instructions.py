"""The instruction stack: who may tell the agent what, for how long, and who wins.

Instructions live in the history like messages do; each is its own prompt
segment. `resolve` says which of them are active and why the others are not.

    resolution = resolve(fold(conversation).instructions)
    resolution.active, [(lost.instruction.id, lost.reason) for lost in resolution.overridden]

The rules. Two instructions conflict when they rule the same `topic`, or say
the same words; of a conflict exactly one is active:

1. the higher `priority` wins (so an operator pins a rule no wish can move);
2. then the narrower scope: turn, conversation, user, deployment;
3. then the source: a user's wish, the skill, what feedback taught, the system;
4. then the one set later.

Instructions without a topic only conflict with their own repetition. Active
ones are ordered system, skill, feedback, wish and, within a source, as they
were set: what changes least comes first, so that a prompt's beginning stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from pydantic import Field

from dialog.text import normalise
from dialog.values import Value

InstructionSource = Literal["system", "skill", "wish", "feedback"]
Scope = Literal["turn", "conversation", "user", "deployment"]

SCOPE_RANK: dict[Scope, int] = {"deployment": 0, "user": 1, "conversation": 2, "turn": 3}
SOURCE_RANK: dict[InstructionSource, int] = {"system": 0, "feedback": 1, "skill": 2, "wish": 3}
SOURCE_ORDER: dict[InstructionSource, int] = {"system": 0, "skill": 1, "feedback": 2, "wish": 3}


class Instruction(Value):
    """One instruction and its place in the stack.

    `topic` names what it rules ("language", "length", ...): two active
    instructions on one topic conflict, and the stated rules choose.
    `weight` multiplies the attention paid to its segment (1 is neutral).
    """

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    source: InstructionSource
    scope: Scope = "conversation"
    priority: int = 0
    topic: str | None = None
    weight: float = Field(default=1.0, ge=0)


class Overridden(Value):
    """An instruction that is not active, the id of the one that won, and by which rule."""

    instruction: Instruction
    by: str
    reason: str


class Resolution(Value):
    """What the model is told, in order, and what it is not told."""

    active: tuple[Instruction, ...] = ()
    overridden: tuple[Overridden, ...] = ()


def resolve(instructions: Iterable[Instruction]) -> Resolution:
    """Settle conflicts by the rules above.

    Args:
        instructions: in the order they were set; of two with one id the later replaces the earlier.
    """
    by_id: dict[str, Instruction] = {}
    for instruction in instructions:
        by_id.pop(instruction.id, None)
        by_id[instruction.id] = instruction
    overridden: list[Overridden] = []
    by_topic = _settle(by_id.values(), overridden, key=lambda one: one.topic or f"\0{one.id}")
    by_words = _settle(by_topic, overridden, key=lambda one: " ".join(normalise(one.text).split()))
    active = sorted(by_words, key=lambda one: SOURCE_ORDER[one.source])
    return Resolution(active=tuple(active), overridden=tuple(overridden))


def _settle(
    instructions: Iterable[Instruction],
    overridden: list[Overridden],
    *,
    key: Callable[[Instruction], str],
) -> list[Instruction]:
    """One instruction a key, in the order they were set; the losers join `overridden`."""
    winners: dict[str, Instruction] = {}
    losers: list[tuple[str, Instruction]] = []
    for instruction in instructions:
        group = key(instruction)
        standing = winners.get(group)
        if standing is None:
            winners[group] = instruction
        elif _rank(instruction) >= _rank(standing):
            del winners[group]
            winners[group] = instruction
            losers.append((group, standing))
        else:
            losers.append((group, instruction))
    for group, loser in losers:
        winner = winners[group]
        overridden.append(Overridden(instruction=loser, by=winner.id, reason=_why(winner, loser)))
    return list(winners.values())


def _rank(instruction: Instruction) -> tuple[int, int, int]:
    return (instruction.priority, SCOPE_RANK[instruction.scope], SOURCE_RANK[instruction.source])


def _why(winner: Instruction, loser: Instruction) -> str:
    about = f"on {loser.topic}" if loser.topic and loser.topic == winner.topic else "in the same words"
    if winner.priority != loser.priority:
        return f"{about}: priority {winner.priority} over {loser.priority}"
    if winner.scope != loser.scope:
        return f"{about}: for this {winner.scope} over for this {loser.scope}"
    if winner.source != loser.source:
        return f"{about}: a {winner.source} instruction over a {loser.source} one"
    return f"{about}: set later"
