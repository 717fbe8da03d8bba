"""Multi-turn dialogue agents that answer from your documents.

    from dialog import DialogAgent

    agent = DialogAgent.from_config("instructrec.toml")
    reply = agent.reply("Where is my parcel?", conversation_id="c-42")

Importing this loads no model library; parts are imported when they are opened.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dialog.actions import Action, ActionContext, ActionOutcome, PendingAction
    from dialog.agent import DialogAgent
    from dialog.config import Config, load_config
    from dialog.conversation import Conversation
    from dialog.errors import DialogError
    from dialog.events import (
        ActionProposed,
        Event,
        Finished,
        Notice,
        PromptReady,
        Retrieved,
        SkillCalled,
        TextDelta,
    )
    from dialog.state import DialogState
    from dialog.streams import TurnStream
    from dialog.structured import Structured
    from dialog.values import Citation, Message, Passage, Prompt, Reply, Sampling, SearchResult, Transcript

_HOMES = {
    "Action": "actions",
    "ActionContext": "actions",
    "ActionOutcome": "actions",
    "PendingAction": "actions",
    "DialogAgent": "agent",
    "Config": "config",
    "load_config": "config",
    "Conversation": "conversation",
    "DialogError": "errors",
    "ActionProposed": "events",
    "Event": "events",
    "Finished": "events",
    "Notice": "events",
    "PromptReady": "events",
    "Retrieved": "events",
    "SkillCalled": "events",
    "TextDelta": "events",
    "DialogState": "state",
    "TurnStream": "streams",
    "Structured": "structured",
    "Citation": "values",
    "Message": "values",
    "Passage": "values",
    "Prompt": "values",
    "Reply": "values",
    "Sampling": "values",
    "SearchResult": "values",
    "Transcript": "values",
}

__all__ = [
    "Action",
    "ActionContext",
    "ActionOutcome",
    "ActionProposed",
    "Citation",
    "Config",
    "Conversation",
    "DialogAgent",
    "DialogError",
    "DialogState",
    "Event",
    "Finished",
    "Message",
    "Notice",
    "Passage",
    "PendingAction",
    "Prompt",
    "PromptReady",
    "Reply",
    "Retrieved",
    "Sampling",
    "SearchResult",
    "SkillCalled",
    "Structured",
    "TextDelta",
    "Transcript",
    "TurnStream",
    "load_config",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"dialog.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'dialog' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
