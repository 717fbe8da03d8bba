"""The closed union of events a turn streams, in the order they can come.

    Retrieved?  PromptReady?  (TextDelta | Notice | SkillCalled | ActionProposed)*  Finished

`Finished` is always the last and carries the whole `Reply`; the text of the
`TextDelta`s, joined, equals `Reply.text`. Events are ephemeral: what must
survive is an entry of the conversation (`dialog.conversation`).

    for event in agent.stream("Where is my parcel?"):
        match event:
            case TextDelta(text=text): print(text, end="")
            case Finished(reply=reply): print(reply.citations)
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from dialog.values import FitReport, Reply, SearchResult, Value


class Retrieved(Value):
    """Knowledge was searched."""

    kind: Literal["retrieved"] = "retrieved"
    result: SearchResult


class PromptReady(Value):
    """The prompt is rendered and fitted; nothing has been generated yet."""

    kind: Literal["prompt_ready"] = "prompt_ready"
    fit: FitReport


class TextDelta(Value):
    """More text of the reply: whole characters, never empty."""

    kind: Literal["text_delta"] = "text_delta"
    text: str = Field(min_length=1)


class Notice(Value):
    """Something the user should see beside the reply: a withheld draft, a fallback, a dropped part."""

    kind: Literal["notice"] = "notice"
    text: str


class SkillCalled(Value):
    """The router picked a skill; `confidence` in [0, 1]."""

    kind: Literal["skill_called"] = "skill_called"
    skill: str
    confidence: float = Field(default=1.0, ge=0, le=1)


class ActionProposed(Value):
    """A skill asks for an action (`dialog.actions`).

    A skill gives `name`, `arguments` and perhaps the `reason` for whoever
    decides; the turn adds the rest. `problem` says why it cannot be done.
    """

    kind: Literal["action_proposed"] = "action_proposed"
    name: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    reason: str = ""
    action_id: str = ""
    needs_approval: bool = True
    problem: str | None = None


class Finished(Value):
    """The turn is over and recorded."""

    kind: Literal["finished"] = "finished"
    reply: Reply


Event = Annotated[
    Retrieved | PromptReady | TextDelta | Notice | SkillCalled | ActionProposed | Finished,
    Field(discriminator="kind"),
]
