"""The instruction stack: who may tell the agent what, for how long, and who wins.

Instructions live in the history like messages do; each is its own prompt segment.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dialog.values import Value

InstructionSource = Literal["system", "skill", "wish", "feedback"]
Scope = Literal["turn", "conversation", "user", "deployment"]


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
