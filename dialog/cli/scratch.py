"""An agent over a throw-away store, and transcripts as the beginning of its conversations.

`--batch` and `--history` bring their own conversations; none of them may end
up among the user's.

    with scratch_agent(run) as agent:
        begin(agent.store, transcript, path="questions.jsonl")
        agent.reply("And the fee?", conversation_id=transcript.id)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dialog.cli.verb import Run, setting
from dialog.errors import CorpusError
from dialog.values import Message, Transcript

if TYPE_CHECKING:
    from dialog.agent import DialogAgent
    from dialog.protocols import Store


@contextmanager
def scratch_agent(run: Run) -> Iterator[DialogAgent]:
    """An agent of the configuration whose conversations are in memory."""
    with run.agent(setting("store.url", "sqlite://")) as agent:
        yield agent


def begin(store: Store, conversation_id: str, messages: Sequence[Message], *, path: str) -> None:
    """Record messages as the beginning of a conversation; whoever answered stands for the agent.

    `path` is where the messages were read, for the error.

    Raises:
        CorpusError: a message is a tool's; a conversation has no entry for it.
    """
    if not messages:
        return
    from dialog.store.transfer import from_transcript

    said = tuple(
        message.model_copy(update={"name": None}) if message.role == "assistant" else message
        for message in messages
    )
    try:
        conversation = from_transcript(Transcript(id=conversation_id, messages=said))
    except ValueError as error:
        raise CorpusError(str(error), path=path) from error
    store.append(conversation_id, conversation.entries(), expected_head=None)
