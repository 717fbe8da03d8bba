"""What a reader finds in a message: a value, where it stands, and why it will not do."""

from __future__ import annotations

from typing import Literal

from dialog.values import Value

Trouble = Literal["ambiguous", "out_of_range", "not_known"]


class Found(Value):
    """A value as it is recorded, and the half-open span of the clean message it was read from.

    With `trouble` the span was meant as a value and none can be taken from it; `value` is then what was said.
    """

    value: str
    start: int
    end: int
    trouble: Trouble | None = None
