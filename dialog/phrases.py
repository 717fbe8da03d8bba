"""What the agent says in its own name, in the user's language: greetings, admissions, hand-offs.

Fixed sentences only; nothing here is generated. Small talk is recognised by
rules so that a greeting is not searched for in the documents.

    phrase("abstain", language="zh")
"""

from __future__ import annotations

import re
from typing import Literal

from dialog.text import normalise
from dialog.values import Language

Occasion = Literal[
    "greeting",
    "thanks",
    "farewell",
    "noted",
    "abstain",
    "ask",
    "needs",
    "which",
    "neither",
    "left",
    "queued",
    "handed_off",
    "handing",
]

_PHRASES: dict[Occasion, dict[str, str]] = {
    "greeting": {"en": "Hello! What can I help you with?", "zh": "您好！请问有什么可以帮您？"},
    "thanks": {"en": "You're welcome. Is there anything else?", "zh": "不客气。还有其他可以帮您的吗？"},
    "farewell": {"en": "Goodbye, and take care.", "zh": "再见，祝您生活愉快。"},
    "abstain": {
        "en": "I don't know: I found nothing about this in the documents I have.",
        "zh": "我不知道：在我掌握的资料中没有找到相关内容。",
    },
    "ask": {
        "en": "I am not sure I understood. Could you tell me a little more about what you need?",
        "zh": "我不太确定您的意思，能再具体说明一下您的需求吗？",
    },
    "needs": {
        "en": "To answer this I need: {names}. Could you tell me?",
        "zh": "回答这个问题我需要：{names}。请您提供一下，好吗？",
    },
    "which": {
        "en": "Do you mean {first}, or {second}?",
        "zh": "您是指“{first}”，还是“{second}”？",
    },
    "neither": {
        "en": "Then please tell me in other words what you need.",
        "zh": "那请您换个说法告诉我您需要什么。",
    },
    "left": {
        "en": "All right, we leave that. What else can I do for you?",
        "zh": "好的，这件事就不办了。还有什么可以帮您？",
    },
    "queued": {
        "en": "I have asked a colleague to take over; they will answer here.",
        "zh": "我已请同事接手，稍后会在这里回复您。",
    },
    "handed_off": {
        "en": "I found nothing about this in the documents I have, so I am asking a colleague to take over.",
        "zh": "在我掌握的资料中没有找到相关内容，我会请同事来为您处理。",
    },
    "handing": {
        "en": "I am asking a colleague to take over; they will answer here.",
        "zh": "我这就请同事来为您处理，稍后会在这里回复您。",
    },
    "noted": {"en": "Noted, I will do so from now on.", "zh": "好的，我记住了，接下来会照做。"},
}

_SMALL_TALK: tuple[tuple[Occasion, re.Pattern[str]], ...] = (
    (
        "greeting",
        re.compile(
            r"(hi|hello|hey|good (morning|afternoon|evening)|greetings)( there| all)?"
            r"|(您|你)好啊?|嗨|哈喽|早上好|下午好|晚上好|在吗|在么|有人吗"
        ),
    ),
    (
        "thanks",
        re.compile(
            r"((ok|okay|great|perfect)[ ,]*)?"
            r"(thanks|thank you|thx|cheers)( so much| a lot| very much| again)?"
            r"|(好的?[,，]?)?(谢谢|多谢|感谢|谢了)(您|你|啦|了)?"
        ),
    ),
    (
        "farewell",
        re.compile(r"(ok[ ,]*)?(bye|goodbye|bye bye|see you|have a (nice|good) day)|再见|拜拜"),
    ),
)


def phrase(occasion: Occasion, *, language: Language) -> str:
    """The agent's words for an occasion; English where the language is not known."""
    return _PHRASES[occasion].get(language, _PHRASES[occasion]["en"])


def small_talk(text: str) -> Occasion | None:
    """`greeting`, `thanks` or `farewell` if the whole message is nothing else."""
    bare = normalise(text).strip(" \t\n.!?~,。！？，、～")
    for occasion, pattern in _SMALL_TALK:
        if pattern.fullmatch(bare):
            return occasion
    return None
