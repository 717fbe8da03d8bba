"""A turn in its conversation to what is searched for: rules only, no model.

The user's own words are always searched for by themselves. Beside them, what
was said before and the turn together are searched for, and count the more the
less the turn says by itself (a pronoun, an ellipsis, a bare answer). Nothing
the user wrote is left out of either, so numbers, names and negations stay. A
turn that stands alone and shares no word with what was said looks like a new
topic: the old one then hardly counts.

    plan = plan_query("那运费呢？", history)
    plan.context     # the last messages and the turn, or None
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dialog.knowledge.segment import query_terms
from dialog.text import detect_language, is_han, normalise
from dialog.values import Message

_MESSAGES_FOR_TERMS = 8
_MESSAGES_FOR_MEANING = 4
_MAX_MESSAGE_CHARS = 600
_WEIGHT_ALONE = 0.4
_WEIGHT_NEW_TOPIC = 0.2
_WEIGHT_LEANING = 0.5
_SHORT_TERMS = 3
"""Fewer informative terms than this seldom say what is meant; Chinese pairs count for half."""

_QUESTION_TERMS = 2
_QUESTION = re.compile(
    r"^(?:do|does|did|is|are|was|were|can|could|will|would|may|should|have|has|who|what|where|when|how)\b"
    r"|吗|什么|多少|多久|多长|几[天个时]|怎么|如何|哪|谁|能不能|可不可以|是否"
)
"""A short turn of this form that names what it is about is a question of its own."""

_ZH_EMPTY = re.compile(
    r"多少|多久|多长|什么|怎么样?|怎样|如何|哪[里儿些]?|能不能|可不可以|可以|是否|时间|时候|大概|"
    r"[0-9零一二两三四五六七八九十百千半]+[个张罐次件台套瓶条份位级天]?|几[天个时点次张件]?|"
    r"[请问吗呢吧啊呀的了是有在要能得用收来去到多大好就才钱]|会(?!员)"
)
"""What a Chinese question is asked with; what is left over names what it is about."""
_ZH_TOPIC_CHARS = 3
_ZH_BACKWARD = re.compile(r"之后|以后|已经|一起|一共|第[一二两三四五]次|上一|下一|晚了|早了|[还再也都又]")
"""Adverbs that go on from something said: later, again, also, all of them."""
_ZH_TO_THE_SHOP = re.compile(r"你们|你家|贵[店司]")

_EN_REFERENCE = re.compile(
    r"\b(?:it|its|they|them|their|theirs|that|this|those|these|he|him|his|she|her|there|then|one|ones|same|"
    r"both|either|neither|other|others|another|else|too|also|instead|such|former|latter|above|mentioned)\b"
)
_EN_FOLLOW_UP = re.compile(
    r"^(?:and|but|or|so|also|then|ok|okay|yes|yeah|yep|no|nope|sure|right|why|how come|what about|how about|"
    r"what if|what else|anything else|which one|if so|in that case|thanks|thank you)\b"
)
_ZH_REFERENCE = re.compile(
    r"[它她该]|其(?!他|它|实|中)|这|那|上面|刚才|前面|同样|另外|别的|其他|两者|前者|后者"
)
_ZH_FOLLOW_UP = re.compile(
    r"^(?:还有|然后|之后|以后|再(?!见)|第[一二两三四五]次|如果|要是|但|可是|不过|而且|另外|好的|对的?$|对[，,]|是的|不是|没有|有的|嗯|为什么)|呢[？?。!！]*$"
)


@dataclass(frozen=True)
class QueryPlan:
    """What to search for.

    `context` is the turn with what was said before it, for meaning;
    `context_terms` reaches further back, for words. Both are None where there
    is nothing to lean on. `context_weight` is theirs beside the turn's own 1.
    `corrected` is the turn with misspelt names put right, searched for beside it.
    `leans` is true where the turn says little by itself.
    """

    query: str
    context: str | None = None
    context_terms: str | None = None
    context_weight: float = 0.0
    leans: bool = False
    corrected: str | None = None

    @property
    def rewritten(self) -> str | None:
        """What a turn that leans on its context, or misspells a name, was understood as."""
        return self.context if self.leans else self.corrected

    @property
    def meanings(self) -> list[str]:
        """The texts to embed: the turn, then the context, then the turn spelt right, as far as there are."""
        return [self.query, *(text for text in (self.context, self.corrected) if text)]

    @property
    def meant(self) -> str:
        """The turn, spelt right."""
        return self.corrected or self.query

    def spelt(self, corrected: str) -> QueryPlan:
        """The plan that also searches for the turn as it was meant to be spelt."""
        return replace(
            self,
            corrected=corrected,
            context=f"{self.context}\n{corrected}" if self.context else None,
            context_terms=f"{self.context_terms}\n{corrected}" if self.context_terms else None,
        )


def plan_query(query: str, history: Sequence[Message] = ()) -> QueryPlan:
    """How to search for a turn, given the messages before it, oldest first."""
    said = [message.content.strip() for message in history if message.role in ("user", "assistant")]
    said = [text[-_MAX_MESSAGE_CHARS:] for text in said if text]
    if not said or not query.strip():
        return QueryPlan(query=query)
    does_lean = leans(query) if _same_language(query, said) else _refers(query)
    return QueryPlan(
        query=query,
        context="\n".join([*said[-_MESSAGES_FOR_MEANING:], query]),
        context_terms="\n".join([*said[-_MESSAGES_FOR_TERMS:], query]),
        context_weight=_context_weight(query, said, does_lean=does_lean),
        leans=does_lean,
    )


def _context_weight(query: str, said: Sequence[str], *, does_lean: bool) -> float:
    if does_lean:
        return _WEIGHT_LEANING
    shared = set(query_terms(query)) & set(query_terms("\n".join(said)))
    return _WEIGHT_ALONE if shared else _WEIGHT_NEW_TOPIC


def _same_language(query: str, said: Sequence[str]) -> bool:
    """Whether a turn goes on in a language of the conversation; who switches says something new."""
    languages = {detect_language(text) for text in said}
    return detect_language(query) in (*languages, "und") or languages == {"und"}


def leans(query: str) -> bool:
    """True if a turn says little without what was said before it."""
    text = normalise(query).strip()
    asks_by_itself = _asks_by_itself(text, num_terms=len(query_terms(text)))
    num_weighed = sum(0.5 if len(term) == 2 and not term.isascii() else 1.0 for term in query_terms(text))
    if not text or (num_weighed < _SHORT_TERMS and not asks_by_itself):
        return True
    return _refers(text)


def _asks_by_itself(text: str, *, num_terms: int) -> bool:
    """True if a short turn is a question that says what it is about; Chinese may leave that out."""
    is_chinese = detect_language(text) == "zh"
    if not _QUESTION.search(text):
        return False
    if is_chinese and _ZH_TO_THE_SHOP.search(text):
        return True
    if not is_chinese or num_terms < _QUESTION_TERMS:
        return num_terms >= _QUESTION_TERMS
    topic = sum(is_han(character) for character in _ZH_EMPTY.sub("", text))
    return topic >= _ZH_TOPIC_CHARS and not _ZH_BACKWARD.search(text)


def _refers(query: str) -> bool:
    """True if a turn points back, or begins as an answer or a follow-up."""
    text = normalise(query).strip()
    if detect_language(text) == "zh":
        return bool(_ZH_REFERENCE.search(text) or _ZH_FOLLOW_UP.search(text))
    return bool(_EN_REFERENCE.search(text) or _EN_FOLLOW_UP.search(text))
