"""Standing wishes in what users say, and in why they did not like a reply. Rules, no model.

Recognised are requests about *how* to answer, in Chinese and English: in which
language, how long, in what form, in what tone, by what name. A question that
merely mentions a language or a length is none: "is the manual in Chinese?",
"保修期短吗". A wish holds for the conversation, or for one turn if it says so.

    wishes_in("以后都用中文回答，简短一点")   # two instructions, on language and on length
    withdrawn_in("no need to keep it short")  # ("length",)

One instruction a topic: its id is `wish:TOPIC`, so the later wish replaces the earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dialog.instructions import Instruction, InstructionSource, Scope
from dialog.text import detect_language, sentences
from dialog.values import Language
from dialog.wish_rules import (
    BRIEFLY,
    COMPLAINTS,
    IN_CHINESE,
    IN_DETAIL,
    IN_ENGLISH,
    RULES,
    WITHDRAWALS,
    pattern_of,
)

MAX_CHARS = 4_000

_ONCE = pattern_of(
    r"\b(?:this (?:time|once|answer|one)|just (?:this )?once)\b",
    r"\bfor (?:this|the next) (?:answer|question|one)\b",
    "[这本]一?(?:次|条|个问题)|就这一?次|这回",
)
_QUESTION = pattern_of(
    r"^\s*(?:is|are|does|do|did|has|have|was|were|what|which|why|how|when|where|who)\b(?!.*\bplease\b)",
    r"[吗么呢]\s*[？?]?\s*$",
)
_POLITE_QUESTION = pattern_of(r"^\s*(?:can|could|would|will) (?:you|u)\b", "能不能|可以.{0,12}吗|能.{0,12}吗")
_NAME = re.compile(
    r"\b(?i:call)\s+me\s+(?P<en>[A-Z][a-z'-]{1,30}(?: [A-Z][a-z'-]{1,30})?)(?=[.,!?]|$| (?i:please|from))"
    r"|(?:叫我|称呼我为?|喊我)(?P<zh>[一-鿿A-Za-z]{1,12}?)(?=吧|就|$|[，,。！!\s])"
)


def wishes_in(text: str, *, source: InstructionSource = "wish") -> tuple[Instruction, ...]:
    """The wishes of a message, one a topic, the last said winning; the texts are in the user's language.

    Only the first `MAX_CHARS` characters are read: what is pasted below is not a wish.
    """
    text = text[:MAX_CHARS].replace("’", "'")
    scope: Scope = "turn" if _ONCE.search(text) else "conversation"
    language = detect_language(text)
    found: dict[str, Instruction] = {}
    for start, end in sentences(text):
        sentence = _single_blanks(text[start:end])
        if _QUESTION.search(sentence) and not _POLITE_QUESTION.search(sentence):
            continue
        withdrawn = withdrawn_in(sentence)
        for rule in RULES:
            if rule.topic not in withdrawn and rule.pattern.search(sentence):
                words = _in(language, rule.en, rule.zh)
                found[rule.topic] = _wish(rule.topic, words, scope=scope, source=source)
        if name := _NAME.search(sentence):
            words = f"请称呼用户为{name['zh']}。" if name["zh"] else f"Call the user {name['en']}."
            found["address"] = _wish("address", words, scope=scope, source=source)
    return tuple(found.values())


def is_only_wishes(text: str) -> bool:
    """Whether every sentence of a message is a wish or takes one back: there is nothing to look up."""
    spans = sentences(text[:MAX_CHARS])
    return (
        len(text) <= MAX_CHARS
        and bool(spans)
        and all(wishes_in(text[start:end]) or withdrawn_in(text[start:end]) for start, end in spans)
    )


def language_wished(instructions: Iterable[Instruction]) -> Language:
    """The language that the last instruction on the topic asks for; `und` where none does."""
    wished: Language = "und"
    for instruction in instructions:
        if instruction.topic == "language":
            wished = (
                "zh" if instruction.text in IN_CHINESE else "en" if instruction.text in IN_ENGLISH else "und"
            )
    return wished


def withdrawn_in(text: str) -> tuple[str, ...]:
    """Topics whose wish the message takes back; `"*"` for all of them."""
    shown = _single_blanks(text[:MAX_CHARS])
    return tuple(topic for topic, pattern in WITHDRAWALS if pattern.search(shown))


def wishes_from_feedback(reason: str, *, score: float) -> tuple[Instruction, ...]:
    """What a rating's reason asks for: complaints of a bad rating, and wishes said outright in any.

    Args:
        reason: the user's words; may be empty.
        score: in [-1, 1].
    """
    language = detect_language(reason)
    found: dict[str, Instruction] = {}
    for rule in COMPLAINTS if score < 0 else ():
        if rule.pattern.search(_single_blanks(reason[:MAX_CHARS])):
            words = _in(language, rule.en, rule.zh)
            found[rule.topic] = _wish(rule.topic, words, scope="conversation", source="feedback")
    for wish in wishes_in(reason, source="feedback"):
        found[wish.id.partition(":")[2]] = wish
    return tuple(found.values())


def wishes_from_edit(reply: str, better: str) -> tuple[Instruction, ...]:
    """What the user's own wording of a reply shows: another language, or another length.

    Less than half or more than twice the characters of a reply count as another length.
    """
    spoken, wanted = detect_language(reply), detect_language(better)
    if "und" in (spoken, wanted) or not reply.strip() or not better.strip():
        return ()
    if spoken != wanted:
        words = _in(wanted, IN_ENGLISH[0], IN_CHINESE[1])
        return (_wish("language", words, scope="conversation", source="feedback"),)
    ratio = len(better.strip()) / len(reply.strip())
    if 0.5 <= ratio <= 2.0:
        return ()
    words = _in(wanted, *(BRIEFLY if ratio < 1 else IN_DETAIL))
    return (_wish("length", words, scope="conversation", source="feedback"),)


def _single_blanks(text: str) -> str:
    return " ".join(text.split())


def _in(language: Language, en: str, zh: str) -> str:
    return zh if language == "zh" else en


def _wish(topic: str, text: str, *, scope: Scope, source: InstructionSource) -> Instruction:
    return Instruction(id=f"{source}:{topic}", text=text, source=source, scope=scope, topic=topic)
