"""Commands that explain the last reply: where it comes from, what the model saw, what moved it."""

from __future__ import annotations

from dialog.repl.command import Command
from dialog.repl.context import ReplSession
from dialog.repl.labels import labels_of
from dialog.repl.view import attribution_bars, budget, fit_lists, passages, sources


def show_sources(session: ReplSession, argument: str) -> None:
    """The citations of the last reply, or the passages that were found and not cited."""
    reply = session.reply()
    scores = {passage.id: passage.score for passage in session.search.passages} if session.search else {}
    if reply.citations:
        session.show(*sources(reply, scores))
    elif session.search and session.search.passages:
        session.say("The last reply cites nothing; this is what was found:")
        session.show(*passages(session.search))
    else:
        session.say("The last reply cites nothing.")


def show_context(session: ReplSession, argument: str) -> None:
    """How full the prompt was, and what is in it."""
    fit = session.reply().fit
    if not fit.used_tokens:
        session.say("The model was not asked for the last reply, so nothing had to fit.")
        return
    labels = labels_of(session.agent.history(session.conversation_id), session.search, session.last)
    session.show(budget(fit, width=session.console.width), *fit_lists(fit, labels))


def show_why(session: ReplSession, argument: str) -> None:
    """The share each instruction, turn and passage has in the last reply."""
    reply = session.reply()
    shares = reply.attribution or session.agent.explain(session.conversation_id)
    if not shares:
        session.say(f"Nothing to attribute: the reply is {reply.mode}.")
        return
    labels = labels_of(session.agent.history(session.conversation_id), session.search, reply)
    session.show(*attribution_bars(shares, labels, width=session.console.width))


COMMANDS = (
    Command("/sources", "", "citations of the last reply, with quotes", show_sources),
    Command("/context", "", "what the prompt held, and what was left out", show_context),
    Command("/why", "", "what the last reply rests on, as shares", show_why),
)
