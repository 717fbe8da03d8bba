"""Looking inside: the exact prompt of a turn, and what a reply rests on. `DialogAgent` inherits these."""

from __future__ import annotations

import threading
from pathlib import Path

from dialog.config import Config
from dialog.conversation import Conversation
from dialog.conversations import Conversations
from dialog.draft import Parts, Request
from dialog.entries import Entry, UserSaid
from dialog.errors import ModelError
from dialog.explaining import explain_reply
from dialog.guard.control import clean
from dialog.recording import asked_at, last_said, replied_entry, said, said_entries
from dialog.shown import recent_messages, render_turn
from dialog.tuned import Adapting, Decoding
from dialog.values import Attribution, Passage, Prompt

DEFAULT_CONVERSATION = "default"


class Insight(Conversations):
    """What was shown, what would be, and what it did."""

    config: Config

    @property
    def parts(self) -> Parts:
        """All that a turn needs."""
        raise AssertionError("a subclass says which parts")

    def preview(self, conversation_id: str = DEFAULT_CONVERSATION, text: str | None = None) -> Prompt:
        """The exact prompt for `text`, or for the last message; nothing is recorded or generated.

        Raises:
            ValueError: `text` is None and nothing was said yet, or `text` is empty.
            PromptTooLong: see `dialog.answering.render_turn`.
        """
        conversation = self.history(conversation_id)
        if text is None:
            message = last_said(conversation)
            conversation = conversation.switch(asked_at(conversation, message))
        else:
            message = said(self.checked(text), after=conversation)
            heard = self.heard(message, conversation)
            conversation = conversation.append(*heard)
            message = next(entry for entry in heard if isinstance(entry, UserSaid))
        parts, sampling = self.parts, self.config.values.sampling
        passages = self._passages(conversation, message)
        return render_turn(parts, conversation, said=message, passages=passages, sampling=sampling).prompt

    def heard(self, message: UserSaid, conversation: Conversation) -> list[Entry]:
        """What `message` adds to the record: newly picked variants, the words, the wishes in them."""
        picked = self.learning.picked(message, conversation)
        if picked:
            message = message.model_copy(update={"parent": picked[-1].id})
        return [*picked, *said_entries(message, conversation)]

    def explain(self, conversation_id: str, *, reply_id: str | None = None) -> tuple[Attribution, ...]:
        """What a reply rests on, largest share first (`dialog.explaining`); the last reply by default.

        The knowledge base is searched again: if it changed since, so may the shares.

        Raises:
            ValueError: there is no such reply.
        """
        conversation = self.history(conversation_id)
        replied = replied_entry(conversation, reply_id)
        message = last_said(conversation.switch(replied.reply.turn_id))
        conversation = conversation.switch(asked_at(conversation, message))
        shown = set(replied.reply.fit.retrieved)
        return explain_reply(
            self.parts,
            conversation,
            said=message,
            passages=[one for one in self._passages(conversation, message) if one.id in shown],
            reply=replied.reply,
            sampling=self.config.values.sampling,
        )

    def use_decoder(self, folder: str | Path | None, conversation_id: str = DEFAULT_CONVERSATION) -> None:
        """Answer a conversation with the instruction decoder of `folder` from now on; None: without any.

        Other conversations keep theirs. It is not recorded: an agent opened anew begins with `model.decoder`.

        Raises:
            ModelError: the model takes no decoders, or the folder's is another model's or damaged.
        """
        model = self.parts.model
        if not isinstance(model, Decoding):
            raise ModelError(f"{model.info.name} takes no instruction decoders")
        model.choose_decoder(conversation_id, None if folder is None else Path(folder))

    def use_adapter(self, name: str | None, conversation_id: str = DEFAULT_CONVERSATION) -> None:
        """Answer a conversation with an adapter of `model.adapters` from now on; None: with none of them.

        Other conversations keep theirs, on the same weights. It is not recorded: an agent opened anew begins
        without. `Reply.fingerprint.adapter` says which one answered.

        Raises:
            ModelError: the model takes no adapters, has none called so, or the conversation's decoder
                was not trained with it.
        """
        model = self.parts.model
        if not isinstance(model, Adapting):
            raise ModelError(f"{model.info.name} takes no adapters of a conversation's own")
        model.choose_adapter(conversation_id, name)

    def _passages(self, conversation: Conversation, message: UserSaid) -> tuple[Passage, ...]:
        """What a turn would find for `message`, the head of `conversation`; nothing if it would abstain."""
        retriever = self.parts.retriever
        if retriever is None:
            return ()
        request = Request(conversation, message, self.config.values.sampling, threading.Event())
        found = retriever.search(
            message.text, top_k=self.config.values.knowledge.top_k, history=recent_messages(request)
        )
        return () if found.abstain else found.passages

    def checked(self, text: str) -> str:
        """The message as it is recorded. Raises ValueError if it is empty, MessageTooLarge."""
        words = clean(text, max_bytes=self.config.values.guard.max_message_bytes).text
        if not words.strip():
            raise ValueError("the message is empty; say something")
        return words
