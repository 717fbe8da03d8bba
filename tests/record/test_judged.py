"""Feedback out of the record: what is taken, how it reads, what is left out and why."""

from __future__ import annotations

from dialog.conversation import Conversation
from dialog.entries import Rated, new_id
from dialog.store.judged import FIXED, NEITHER, Judged
from dialog.testing.making import NOON, replied, said
from dialog.values import Mode


def asked(talk: Conversation, question: str, answer: str, *, mode: Mode = "generated") -> Conversation:
    talk = talk.append(said(talk, question))
    entry = replied(talk, answer)
    reply = entry.reply.model_copy(update={"mode": mode})
    return talk.append(entry.model_copy(update={"reply": reply}))


def rate(conversation: Conversation, score: float, better: str | None = None) -> Conversation:
    """The reply at the head."""
    head = conversation.head_id
    assert head is not None
    return conversation.append(
        Rated(id=new_id(), parent=head, time=NOON, reply_id=head, score=score, better=better)
    )


def test_a_reworded_reply_is_a_pair_behind_what_was_said_before() -> None:
    talk = asked(Conversation.empty("c"), "Where is it?", "On its way.")
    talk = rate(asked(talk, "什么时候到？", "不知道。"), -1, better="预计周五送达。")
    talk = asked(talk, "later", "words")
    judged = Judged([talk])
    (pair,) = judged
    assert [(one.role, one.content, one.loss) for one in pair.messages] == [
        ("user", "Where is it?", None),
        ("assistant", "On its way.", False),
        ("user", "什么时候到？", None),
        ("assistant", "预计周五送达。", None),
    ]
    assert pair.meta == {"rejected": [{"role": "assistant", "content": "不知道。"}]}
    assert judged.num == {"reworded": 1}


def test_a_disliked_reply_is_labelled_and_never_trained_on() -> None:
    liked = rate(asked(Conversation.empty("a"), "谢谢", "不客气！"), 0.5)
    disliked = rate(asked(Conversation.empty("b"), "Thanks", "What?"), -0.5)
    one, other = Judged([liked, disliked])
    assert (one.meta, one.messages[-1].loss) == ({"label": True}, None)
    assert (other.meta, other.messages[-1].loss) == ({"label": False}, False)


def test_what_tells_nothing_of_the_model_is_counted() -> None:
    fixed = rate(asked(Conversation.empty("a"), "hi", "Hello.", mode="fixed"), 1)
    neither = rate(asked(Conversation.empty("b"), "hi", "Hello."), 0)
    judged = Judged([fixed, neither])
    assert list(judged) == []
    assert judged.skipped == {FIXED: 1, NEITHER: 1}


def test_the_last_rating_counts_and_a_fork_adds_nothing() -> None:
    talk = asked(Conversation.empty("c"), "你好", "您好。")
    reply = talk.head_id
    assert reply is not None
    for score in (-1.0, 1.0):
        talk = talk.append(Rated(id=new_id(), parent=talk.head_id, time=NOON, reply_id=reply, score=score))
    (found,) = Judged([talk, talk.fork("d")])
    assert (found.id, found.meta) == ("c", {"label": True})
