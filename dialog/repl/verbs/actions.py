"""Commands about what the agent wants to do: see it, allow it, refuse it."""

from __future__ import annotations

import getpass
from collections.abc import Iterable

from dialog.actions import ActionOutcome
from dialog.repl.command import Choice, Command
from dialog.repl.context import CommandError, ReplSession
from dialog.repl.labels import called, counted
from dialog.repl.view import numbered


def show_actions(session: ReplSession, argument: str) -> None:
    """The actions that wait for a decision, numbered."""
    waiting = session.agent.pending(session.conversation_id)
    if not waiting:
        session.say("no action waits for a decision")
        return
    session.listed["actions"] = [action.id for action in waiting]
    rows = [
        (called(action.name, action.arguments), action.reason or f"{action.proposed:%Y-%m-%d %H:%M}")
        for action in waiting
    ]
    session.show(numbered(rows))
    session.say(f"{counted(len(waiting), 'action')} waiting; /approve N or /reject N")


def approve(session: ReplSession, argument: str) -> None:
    """Allow an action, which does it now."""
    _decide(session, argument, approved=True)


def reject(session: ReplSession, argument: str) -> None:
    """Refuse an action, perhaps with a reason."""
    _decide(session, argument, approved=False)


def _decide(session: ReplSession, argument: str, *, approved: bool) -> None:
    word, _, reason = argument.partition(" ")
    if not word:
        raise CommandError("which one? /actions lists them with numbers")
    if not session.listed.get("actions"):
        session.listed["actions"] = [one.id for one in session.agent.pending(session.conversation_id)]
    outcome = session.agent.decide(
        session.conversation_id,
        session.pick("actions", word),
        approve=approved,
        by=getpass.getuser(),
        reason=reason.strip(),
    )
    session.say(_told(outcome))


def _told(outcome: ActionOutcome) -> str:
    match outcome.status:
        case "done":
            return f"{outcome.name}: done" + ("" if outcome.result is None else f", {outcome.result!r}")
        case "failed":
            return f"{outcome.name}: failed, {outcome.error}"
        case "running":
            return f"{outcome.name}: approved, and being done elsewhere"
        case "rejected" | "pending":
            return f"{outcome.name}: {outcome.status}"


def _waiting(session: ReplSession, argument: str) -> Iterable[Choice]:
    waiting = session.agent.pending(session.conversation_id)
    return ((action.id, called(action.name, action.arguments)) for action in waiting)


COMMANDS = (
    Command("/actions", "", "what the agent wants to do and may not yet", show_actions),
    Command("/approve", "N", "allow an action; it is done now", approve, _waiting),
    Command("/reject", "N [REASON]", "refuse an action", reject, _waiting),
)
