"""A turn and its views: event by event, as a reply, as a value; each also without blocking the event loop.

    agent.reply("Where is my parcel?", conversation_id="c-42").text

    class Order(BaseModel):
        order_no: str = Field(description="as printed on the invoice")

    order = agent.reply_as(Order, "MK-10482 never arrived", conversation_id="c-42")
    order.value.order_no if order.value else order.problems

`DialogAgent` inherits this and says what the turn is; all views see the same one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dialog.events import Event
from dialog.insight import DEFAULT_CONVERSATION, Insight
from dialog.streams import TurnStream, drain, in_thread
from dialog.structured import Form, Structured, T, structured
from dialog.values import Reply, Sampling


class Asking(Insight):
    """Every way to have one message answered."""

    def _asked(
        self,
        text: str,
        *,
        conversation_id: str,
        turn_key: str | None,
        sampling: Sampling | None,
        form: Form | None = None,
    ) -> TurnStream:
        """The turn that answers `text`."""
        raise AssertionError("a subclass says how to answer")

    def stream(
        self,
        text: str,
        *,
        conversation_id: str = DEFAULT_CONVERSATION,
        turn_key: str | None = None,
        sampling: Sampling | None = None,
    ) -> TurnStream:
        """Answer one message, event by event (`dialog.events`).

        Args:
            text: the user's words; recorded as they are, shown to the model as text only.
            turn_key: the caller's name for this request; asked again, the recorded reply is given again.
            sampling: replaces `[sampling]` for this turn.

        Raises:
            ValueError: `text` is empty.
            MessageTooLarge: `text` is longer than `guard.max_message_bytes`.
            ModelError, KnowledgeError, StoreError: from the first `next` on.
        """
        return self._asked(text, conversation_id=conversation_id, turn_key=turn_key, sampling=sampling)

    def reply(
        self,
        text: str,
        *,
        conversation_id: str = DEFAULT_CONVERSATION,
        turn_key: str | None = None,
        sampling: Sampling | None = None,
    ) -> Reply:
        """Answer one message; arguments and errors as for `stream`."""
        return drain(self.stream(text, conversation_id=conversation_id, turn_key=turn_key, sampling=sampling))

    async def areply(
        self,
        text: str,
        *,
        conversation_id: str = DEFAULT_CONVERSATION,
        turn_key: str | None = None,
        sampling: Sampling | None = None,
    ) -> Reply:
        """`reply` without blocking the event loop; cancelling the task interrupts the turn."""
        return await _drained(
            self.stream(text, conversation_id=conversation_id, turn_key=turn_key, sampling=sampling)
        )

    def astream(
        self,
        text: str,
        *,
        conversation_id: str = DEFAULT_CONVERSATION,
        turn_key: str | None = None,
        sampling: Sampling | None = None,
    ) -> AsyncIterator[Event]:
        """`stream` as an asynchronous iterator; leaving it early interrupts the turn."""
        return in_thread(
            self.stream(text, conversation_id=conversation_id, turn_key=turn_key, sampling=sampling)
        )

    def reply_as(
        self,
        model: type[T],
        text: str,
        *,
        conversation_id: str = DEFAULT_CONVERSATION,
        retries: int = 2,
        fallback: T | None = None,
        turn_key: str | None = None,
        sampling: Sampling | None = None,
    ) -> Structured[T]:
        """Answer one message with a value of `model`; the turn is recorded like any other.

        An answer that does not fit is asked for again with what was wrong. If
        none fits, `value` is `fallback` or None, and `problems` and the reply's
        notices tell why; that is not an error.

        Args:
            retries: how often to ask again, 0 or more.

        Raises:
            ValueError: `retries` is negative. Else as for `stream`.
        """
        stream = self._asked(
            text,
            conversation_id=conversation_id,
            turn_key=turn_key,
            sampling=sampling,
            form=Form(model, retries=retries, fallback=fallback),
        )
        return structured(model, drain(stream))

    async def areply_as(
        self,
        model: type[T],
        text: str,
        *,
        conversation_id: str = DEFAULT_CONVERSATION,
        retries: int = 2,
        fallback: T | None = None,
        turn_key: str | None = None,
        sampling: Sampling | None = None,
    ) -> Structured[T]:
        """`reply_as` without blocking the event loop; cancelling the task interrupts the turn."""
        stream = self._asked(
            text,
            conversation_id=conversation_id,
            turn_key=turn_key,
            sampling=sampling,
            form=Form(model, retries=retries, fallback=fallback),
        )
        return structured(model, await _drained(stream))


async def _drained(stream: TurnStream) -> Reply:
    try:
        return await asyncio.to_thread(drain, stream)
    except asyncio.CancelledError:
        stream.cancel()
        raise
