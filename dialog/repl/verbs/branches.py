"""Commands that move the head: nothing said is ever lost, `/tree` shows it all."""

from __future__ import annotations

from collections.abc import Iterable

from dialog.conversation import Conversation
from dialog.entries import Replied
from dialog.repl.command import Choice, Command
from dialog.repl.context import Action, CommandError, Play, Prefill, ReplSession, new_conversation_id
from dialog.repl.labels import shortened
from dialog.repl.view import tree_lines, turn_lines


def undo(session: ReplSession, argument: str) -> None:
    """The last turn back."""
    _moved(session, session.agent.undo(session.conversation_id))


def redo(session: ReplSession, argument: str) -> None:
    """The turn that was undone, again."""
    _moved(session, session.agent.redo(session.conversation_id))


def edit(session: ReplSession, argument: str) -> Action:
    """Say turn N differently: with words, at once; without, the old ones are there to be changed."""
    number, _, text = argument.partition(" ")
    turns = session.agent.history(session.conversation_id).turns()
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(turns)):
        raise CommandError(f"/edit needs a turn from 1 to {len(turns)}; /history numbers them")
    index = int(number) - 1
    if not text.strip():
        return Prefill(f"/edit {number} {turns[index].user}")
    return Play(session.agent.edit(session.conversation_id, index, text.strip(), sampling=session.sampling))


def retry(session: ReplSession, argument: str) -> Action:
    """Another reply to the last turn."""
    if not session.agent.history(session.conversation_id).num_turns:
        raise CommandError("there is no turn to answer again")
    return Play(session.agent.retry(session.conversation_id, sampling=session.sampling))


def fork(session: ReplSession, argument: str) -> None:
    """Go on in a copy of this conversation."""
    old, new = session.conversation_id, argument or new_conversation_id()
    session.agent.fork(old, new)
    session.enter(new)
    session.say(f"you are in {new} now; {old} stays as it is")


def show_tree(session: ReplSession, argument: str) -> None:
    """Every branch, numbered for /switch."""
    conversation = session.agent.history(session.conversation_id)
    branches = conversation.tips()
    if not branches:
        raise CommandError("this conversation is empty")
    ends = (conversation.entry(branch.tip) for branch in branches)
    replies = {end.id: end.reply.text for end in ends if isinstance(end, Replied)}
    session.show(*tree_lines(branches, replies))


def switch(session: ReplSession, argument: str) -> None:
    """Go on at another branch's end."""
    tips = [branch.tip for branch in session.agent.history(session.conversation_id).tips()]
    if argument.isascii() and argument.isdigit() and 1 <= int(argument) <= len(tips):
        argument = tips[int(argument) - 1]
    if argument not in tips:
        raise CommandError(f"/switch needs a branch from 1 to {len(tips)}; /tree numbers them")
    _moved(session, session.agent.switch(session.conversation_id, argument))


def _moved(session: ReplSession, conversation: Conversation) -> None:
    session.refresh()
    turns = conversation.turns()
    if not turns:
        session.say("at the beginning of the conversation")
        return
    session.say(f"at turn {len(turns)}:")
    session.show(*turn_lines(turns[-1:]))


def _turns(session: ReplSession, argument: str) -> Iterable[Choice]:
    turns = session.agent.history(session.conversation_id).turns()
    return ((str(turn.index + 1), shortened(turn.user, 40)) for turn in reversed(turns))


def _branches(session: ReplSession, argument: str) -> Iterable[Choice]:
    branches = session.agent.history(session.conversation_id).tips()
    return ((str(number), shortened(branch.preview, 40)) for number, branch in enumerate(branches, start=1))


COMMANDS = (
    Command("/undo", "", "take the last turn back", undo),
    Command("/redo", "", "put it back", redo),
    Command("/edit", "N [TEXT]", "say turn N differently, on a new branch", edit, _turns),
    Command("/retry", "", "answer the last turn again, on a new branch", retry),
    Command("/fork", "[ID]", "go on in a copy of the conversation", fork),
    Command("/tree", "", "all branches of the conversation", show_tree),
    Command("/switch", "N", "go on at branch N of /tree", switch, _branches),
)
