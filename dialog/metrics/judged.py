"""What a metric sees: one assistant turn, what was wanted, and what an agent gave.

judged = JudgedTurn(conversation_id="c", turn=0, messages=history, wanted=wanted, given=given)
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from dialog.values import Attribution, Citation, Language, Message, Value

FailureKind = Literal[
    "number",
    "money",
    "date",
    "identifier",
    "negation",
    "missing",
    "crash",
    "timeout",
    "empty",
    "language",
]
"""The kinds of `docs/contracts.md`; the first five are facts that differ from the reference."""


class Action(Value):
    """A call that was made or should have been: a tool's name and its arguments."""

    name: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)


class Wanted(Value):
    """What the transcript says about a turn; None where it says nothing, and metrics skip the turn.

    `sources` are the documents or passages that hold the answer; `is_answerable` is
    False where the agent ought to say that it does not know.
    """

    text: str | None = None
    state: dict[str, Any] | None = None
    intent: str | None = None
    actions: tuple[Action, ...] | None = None
    sources: tuple[str, ...] | None = None
    is_answerable: bool | None = None
    hands_off: bool | None = None


class Given(Value):
    """What an agent gave; `text` is None when nothing came, and `failure` says why.

    `retrieved` are the passages, best first, each by a name or by all its names
    (id and source), any of which may be wanted. `logprobs` are natural
    log-probabilities of the wanted text's tokens under the agent's model.
    `succeeded` is the verdict on the whole conversation, on any of its turns.
    `confidence` is how sure the agent was of having an answer, 0 to 1.
    """

    text: str | None = None
    failure: FailureKind | None = None
    detail: str = ""
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[tuple[int, int], ...] = ()
    retrieved: tuple[str | tuple[str, ...], ...] | None = None
    attribution: tuple[Attribution, ...] | None = None
    state: dict[str, Any] | None = None
    intent: str | None = None
    actions: tuple[Action, ...] | None = None
    abstained: bool | None = None
    handed_off: bool | None = None
    succeeded: bool | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    logprobs: tuple[float, ...] | None = None
    latency_s: NonNegativeFloat | None = None
    first_token_s: NonNegativeFloat | None = None
    prompt_tokens: NonNegativeInt | None = None
    reply_tokens: NonNegativeInt | None = None


Ending = Literal["satisfied", "gave_up", "loop", "handed_off", "failed", "limit"]
"""Why a free conversation ended: `failed` if the agent never answered, `limit` if it took too many turns."""


class Course(Value):
    """Where a free conversation stands at a turn.

    `num_turns` are those of the whole conversation. `is_off_script`: the user says
    something else than the transcript's at this place; None where there is no
    transcript. `ended` and `goals_met` (0 to 1) stand on the last turn.
    """

    num_turns: int = Field(ge=1)
    is_off_script: bool | None = None
    ended: Ending | None = None
    goals_met: float | None = Field(default=None, ge=0, le=1)


class JudgedTurn(Value):
    """One assistant turn; `turn` counts them from 0, `messages` is the history it was answered from.

    `language` is that of the newest user message. `candidates` are replies of other
    conversations, for response selection.
    """

    conversation_id: str
    turn: int = Field(ge=0)
    messages: tuple[Message, ...]
    wanted: Wanted
    given: Given
    seed: int = Field(default=0, ge=0)
    """Which of several runs of the conversation this is."""
    language: Language = "und"
    tags: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    course: Course | None = None
    """Of free replay; None in forced replay."""
