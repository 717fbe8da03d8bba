"""Questions and the answers they got, from one conversation, and what the customer made of them.

    for exchange in exchanges(transcript):
        print(exchange.question, "->", exchange.answer, exchange.outcome)

An exchange is a message of the user that asks, with what the business says up
to the user's next message. `thanked` where that next message, or the one after,
thanks or says that it worked; `refuted` where the next asks again or says that it
did not; else `open`. `leans` tells a question that is none without the turns before it
("and its phone number?").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from corpora.mining.openings import Place, Reply, reply_after
from dialog.claims import is_question
from dialog.knowledge.query import leans
from dialog.phrases import small_talk
from dialog.text import normalise, words
from dialog.values import Transcript

Outcome = Literal["thanked", "refuted", "open"]
MIN_WORDS, MAX_WORDS = 4, 60
MIN_ANSWER_WORDS = 4
_ASKS = re.compile(
    r"^(?:(?:hi|hello|hey|please|also|and|so|ok|okay|excuse me)[ ,!.]+){0,3}"
    r"(?:how|what|when|where|why|who|which|can|could|do|does|did|is|are|will|would|may|should|must)\b"
    r"|怎么|怎样|如何|为什么|为何|什么|哪里|哪儿|哪个|多少|多久|多长|几[天个点]|能不能|可不可以|是不是|是否|有没有|吗|呢$"
)
_THANKS = re.compile(
    r"\b(?:thanks|thank you|thx|ty|cheers|great|perfect|awesome|(?:it|that) work(?:s|ed)|solved|sorted|"
    r"that helps|helpful)\b|谢谢|多谢|感谢|谢了|解决了|可以了|好用了|明白了|知道了|清楚了|太好了"
)
_REFUTES = re.compile(
    r"\b(?:not|n['’]t|never|no)\b.{0,30}\b(?:work|help|true|right|correct|answer|what i asked|solve)"
    r"|\bstill (?:not|no|doesn|can|have|the same)"
    r"|\bthat(?:'s| is) (?:wrong|not)|\byou (?:did|have)n['’]t answer"
    r"|没用|没有用|不行|还是(?:不|没)|不对|错了|没解决|答非所问|不是我问的|没有解决"
)


@dataclass(frozen=True)
class Exchange:
    """A question, its answer, and how it went."""

    question: str
    place: Place
    answer: Reply
    outcome: Outcome
    time: datetime | None
    leans: bool = False


def exchanges(transcript: Transcript) -> Iterator[Exchange]:
    """Every exchange that could stand in an FAQ: a question and an answer long enough to say something."""
    num_before = 0
    for turn, message in enumerate(transcript.messages):
        text = message.content.strip()
        if message.role != "user":
            continue
        num_before += not small_talk(text)
        if not _asks(text):
            continue
        answer = reply_after(transcript, turn)
        if answer is None or len(words(answer.text)) < MIN_ANSWER_WORDS or is_question(answer.text):
            continue  # a question back answers nothing
        yield Exchange(
            question=text,
            place=Place(transcript.id, turn),
            answer=answer,
            outcome=_outcome(transcript, turn),
            time=transcript.messages[answer.place.turn].time,
            leans=num_before > 1 and leans(text),
        )


def _asks(text: str) -> bool:
    if small_talk(text) or not MIN_WORDS <= len(words(text)) <= MAX_WORDS:
        return False
    return is_question(text) or bool(_ASKS.search(normalise(text)))


def _outcome(transcript: Transcript, turn: int) -> Outcome:
    said = [normalise(one.content) for one in transcript.messages[turn + 1 :] if one.role == "user"][:2]
    if said and _REFUTES.search(said[0]):
        return "refuted"
    return "thanked" if any(_THANKS.search(text) and not _REFUTES.search(text) for text in said) else "open"
