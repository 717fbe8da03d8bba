"""What a foreign agent answered, as a `Given`: an object with `text`, perhaps more, or just the text.

heard({"text": "Three days.", "state": {"order": "MK-1"}}, latency_s=0.2)
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from dialog.metrics.judged import Action, Given
from dialog.replay.agents.answering import failed
from dialog.values import Citation

BAD_ANSWER = "crash"


class _Answer(BaseModel):
    """Fields that are understood; others are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    citations: tuple[Citation, ...] = ()
    state: dict[str, Any] | None = None
    intent: str | None = None
    actions: tuple[Action, ...] | None = None
    retrieved: tuple[str | tuple[str, ...], ...] | None = None
    abstained: bool | None = None
    handed_off: bool | None = None
    succeeded: bool | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    prompt_tokens: NonNegativeInt | None = None
    reply_tokens: NonNegativeInt | None = None


def heard(answer: object, *, latency_s: float) -> Given:
    """The answer, checked; a failure of kind `crash` if it has another shape, `empty` if it says nothing."""
    content = {"text": answer} if isinstance(answer, str) else answer
    try:
        found = _Answer.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "answer"
        detail = f'{where}: {first["msg"]}; answer with {{"text": ..., "citations"?, "state"?, "actions"?}}'
        return failed(BAD_ANSWER, detail, latency_s=latency_s)
    is_empty = not found.text.strip() and not found.handed_off and not found.actions
    return Given(
        **dict(found),
        failure="empty" if is_empty else None,
        detail="the text is empty" if is_empty else "",
        latency_s=latency_s,
    )
