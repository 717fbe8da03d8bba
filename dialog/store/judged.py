"""What people thought of replies, as transcripts to tune on: ratings and rewordings, on every branch.

A reply somebody put better becomes a conversation that ends with their wording
and has the reply in `meta.rejected`; one that was only rated ends with the
reply, and `meta.label` says whether it was liked. What was disliked is marked
`"loss": false`, so that nothing trains a model to say it.

    judged = Judged(store.load(one) for one in store.ids())
    for transcript in judged: ...
    judged.num, judged.skipped          # what there is, and what was left out and why

The id is the conversation's: what comes of one conversation stays on one side
when some of it is held out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dialog.conversation import Conversation
from dialog.entries import Rated, Replied
from dialog.store.transfer import to_transcript
from dialog.values import Message, Transcript

MISSING = "what was rated is not here"
FIXED = "not in the model's own words"
UNFINISHED = "reply was not finished"
NEITHER = "neither liked nor disliked"
AGAIN = "rated again later"


class Judged:
    """See the module; may be iterated once. `num` counts "reworded", "liked" and "disliked" replies."""

    def __init__(self, conversations: Iterable[Conversation]) -> None:
        self._conversations = conversations
        self.num: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Transcript]:
        seen: set[str] = set()  # forks hold the same entries
        for conversation in self._conversations:
            ratings = [one for one in conversation.entries() if isinstance(one, Rated) and one.id not in seen]
            seen.update(one.id for one in ratings)
            last = {one.reply_id: one for one in ratings}
            self.skipped[AGAIN] += len(ratings) - len(last)
            for rated in last.values():
                found = self._found(conversation, rated)
                if isinstance(found, str):
                    self.skipped[found] += 1
                else:
                    yield found
        self.skipped = +self.skipped

    def _found(self, conversation: Conversation, rated: Rated) -> Transcript | str:
        """The transcript, or why there is none."""
        entry = conversation.entry(rated.reply_id) if rated.reply_id in conversation else None
        if not isinstance(entry, Replied):
            return MISSING
        if entry.reply.mode != "generated":
            return FIXED
        if entry.reply.finish_reason in ("interrupted", "error"):
            return UNFINISHED
        better = (rated.better or "").strip()
        is_reworded = better not in ("", entry.reply.text.strip())
        if not is_reworded and rated.score == 0:
            return NEITHER
        transcript = to_transcript(conversation.switch(entry.id))
        assert transcript is not None
        *before, reply = (_untrained(one) for one in transcript.messages)
        if is_reworded:
            self.num["reworded"] += 1
            last = Message(role="assistant", content=better)
            meta = {"rejected": [{"role": "assistant", "content": entry.reply.text}]}
            return transcript.model_copy(update={"messages": (*before, last), "meta": meta})
        is_liked = rated.score > 0
        self.num["liked" if is_liked else "disliked"] += 1
        last = reply.model_copy(update={"loss": None}) if is_liked else reply
        return transcript.model_copy(update={"messages": (*before, last), "meta": {"label": is_liked}})


def _untrained(message: Message) -> Message:
    return message.model_copy(update={"loss": False}) if message.role == "assistant" else message
