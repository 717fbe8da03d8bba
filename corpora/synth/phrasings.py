"""What made-up customers say, in Chinese and English: questions, follow-ups, and what no document answers.

put("How long is the warranty?", language="en", draw=Random(0))
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from dialog.text import normalise
from dialog.values import Language

_FRAMES: Mapping[Language, Sequence[str]] = {
    "en": (
        "{q}",
        "Hi, {lower}",
        "Hello! {q}",
        "Quick question: {lower}",
        "One thing I could not find: {lower}",
        "Can you help me? {q}",
    ),
    "zh": ("{q}", "您好，{q}", "想问一下，{q}", "麻烦问下，{q}", "有个问题：{q}", "帮我看看，{q}"),
}
_ABOUT: Mapping[Language, Sequence[str]] = {
    "en": (
        "What should I know about {h}?",
        "Can you tell me about {h}?",
        "What are the rules for {h}?",
        "How does {h} work with you?",
    ),
    "zh": ("{h}有什么规定？", "{h}是怎样的？", "能介绍一下{h}吗？", "关于{h}，有哪些要注意的？"),
}
_LEANING: Mapping[Language, Sequence[str]] = {
    "en": ("And {h}?", "And what about {h}?", "OK. And {h}, how is that?", "What about {h} then?"),
    "zh": ("那{h}呢？", "好的，{h}呢？", "{h}又是怎样的？", "明白了，那{h}呢？"),
}
_WHENCE: Mapping[Language, Sequence[str]] = {
    "en": ("Where does it say that?", "Where can I read that?", "Which page is that from?"),
    "zh": ("这是在哪里写的？", "哪里能看到这个？", "这出自哪个页面？"),
}
_SOURCE: Mapping[Language, str] = {"en": "That is from “{title}”.", "zh": "出自《{title}》。"}
UNANSWERABLE: Mapping[Language, Sequence[str]] = {
    "en": (
        "Do you have an opening for a night guard?",
        "Can I pay with bitcoin from a hardware wallet?",
        "Who won the football match last night?",
        "What is the share price of your parent company?",
        "Can you book me a table at an Italian restaurant?",
        "How many calories are in a slice of cheesecake?",
        "Which bus goes from the station to the museum?",
        "Can I bring my parrot into your office?",
        "What is the boiling point of mercury?",
        "Do you sponsor youth orchestras?",
        "Can you translate this letter into Finnish?",
        "Who painted the mural in your lobby?",
    ),
    "zh": (
        "你们还招夜班保安吗？",
        "可以用比特币冷钱包付款吗？",
        "昨晚的足球赛谁赢了？",
        "你们母公司的股价是多少？",
        "能帮我订一家意大利餐厅的位子吗？",
        "一块芝士蛋糕有多少热量？",
        "从火车站到博物馆坐几路公交？",
        "我可以带鹦鹉进你们办公室吗？",
        "水银的沸点是多少度？",
        "你们赞助青少年交响乐团吗？",
        "能把这封信翻译成芬兰语吗？",
        "大厅里的壁画是谁画的？",
    ),
}
"""What customers ask that help pages seldom answer; one that the documents do answer is thrown out."""
_QUESTION = re.compile(
    r"[?？]$|^(?:how|what|when|where|why|who|which|can|do|does|is|are|will|may)\b|怎么|如何|什么|多久|多少|哪|吗$",
    re.IGNORECASE,
)


def asked_about(heading: str, *, language: Language, draw: Random) -> str:
    """A question that a section's heading answers; the heading itself where it is one."""
    if _QUESTION.search(normalise(heading)):
        return heading if heading.endswith(("?", "？")) else heading + ("？" if language == "zh" else "?")
    return draw.choice(_ABOUT[language]).format(h=_inside(heading, language))


def put(question: str, *, language: Language, draw: Random) -> str:
    """The same question as another person might put it."""
    return draw.choice(_FRAMES[language]).format(q=question, lower=_lowered(question))


def leaning(heading: str, *, language: Language, draw: Random) -> str:
    """A follow-up that says what it is about only in part, and leans on the turn before."""
    return draw.choice(_LEANING[language]).format(h=_inside(heading, language))


def whence(title: str, *, language: Language, draw: Random) -> tuple[str, str]:
    """A follow-up that asks where an answer comes from, and the reply."""
    return draw.choice(_WHENCE[language]), _SOURCE[language].format(title=title)


def _inside(heading: str, language: Language) -> str:
    bare = heading.strip().rstrip(".。:：")
    return _lowered(bare) if language == "en" else bare


def _lowered(text: str) -> str:
    """With a small first letter, unless the first word is `I` or has another capital or a digit."""
    first, *_ = text.split(" ", 1)
    return text[:1].lower() + text[1:] if first[1:].islower() else text
