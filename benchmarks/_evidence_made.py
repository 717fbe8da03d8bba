"""Made support dialogues in which it is known what each reply rests on, Chinese and English, by a seed.

Several rules are given, each about another product, and the customer tells a
number; then something is asked that exactly one of these decides. The reply
repeats it in its words ("copied") or says the same in words that stand nowhere
in the dialogue ("paraphrased"). Only the last reply is in the loss.

    for dialogue in made(200, seed=0): dialogue.transcript, dialogue.evidence
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dialog.values import Message, Transcript

How = Literal["copied", "paraphrased"]
_RULES = 4

_PRODUCTS = {
    "en": ("lamp", "kettle", "jacket", "camera", "tent", "guitar", "mirror", "printer", "bicycle", "helmet"),
    "zh": ("台灯", "水壶", "外套", "相机", "帐篷", "吉他", "镜子", "打印机", "自行车", "头盔"),
}
_COPIED = {
    "en": ("The {product} costs {value} dollars.", "What does the {product} cost?", "{value} dollars."),
    "zh": ("{product}的价格是{value}元。", "{product}多少钱？", "{value}元。"),
}
_TOLD = {
    "en": ("My order number is {value}.", "Thank you.", "What was my order number?", "{value}."),
    "zh": ("我的订单号是{value}。", "好的，谢谢。", "我的订单号是多少？", "{value}。"),
}
_ASKED = {"en": "Can I return the {product}?", "zh": "{product}可以退货吗？"}
_PARAPHRASES: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "en": (
        (
            (
                "The {product} may be sent back whenever you like.",
                "Sending back the {product} is always possible.",
                "We take the {product} back at any time.",
            ),
            "Yes, without limit.",
        ),
        (
            (
                "Every sale of the {product} is final.",
                "Once bought, the {product} stays with the buyer.",
                "We never take the {product} back.",
            ),
            "No, sorry.",
        ),
        (
            (
                "Only a broken {product} is taken back.",
                "The {product} goes back with a defect only.",
                "A faulty {product} may be sent back, nothing else.",
            ),
            "If damaged.",
        ),
    ),
    "zh": (
        (
            ("{product}随时接受寄回。", "{product}任何时候都能寄回来。", "{product}不限时间，都收回。"),
            "没问题。",
        ),
        (
            ("{product}一经售出概不收回。", "{product}卖出后不再收回。", "{product}从不接受寄回。"),
            "很抱歉，不行。",
        ),
        (
            ("{product}坏了才收回。", "{product}出现故障才能寄回。", "{product}有缺陷时才接受寄回。"),
            "若损坏，可以。",
        ),
    ),
}


@dataclass(frozen=True)
class Dialogue:
    """`evidence` is the reference of the message that decides the reply, as examples name it (`m0`, ...)."""

    transcript: Transcript
    evidence: str
    how: How
    language: str


def made(
    number: int, *, seed: int, how: How | None = None, language: str | None = None
) -> Iterator[Dialogue]:
    """So many dialogues; both languages and both kinds in turn unless one is named."""
    chance = random.Random(f"evidence:{seed}")
    for at in range(number):
        yield _one(
            f"{seed}-{at}",
            how or ("copied", "paraphrased")[at % 2],
            language or ("en", "zh")[at // 2 % 2],
            chance,
        )


def _one(name: str, how: How, language: str, chance: random.Random) -> Dialogue:
    products = chance.sample(_PRODUCTS[language], _RULES)
    *prices, number = chance.sample(range(100, 1000), _RULES + 1)
    decisive = chance.randrange(_RULES + 1 if how == "copied" else _RULES)
    told, thanked, asked, answer = (one.format(value=number) for one in _TOLD[language])
    if how == "copied":
        rule, question, reply = _COPIED[language]
        pairs = zip(products, prices, strict=True)
        rules = [(rule.format(product=one, value=price), reply.format(value=price)) for one, price in pairs]
    else:
        question = _ASKED[language]
        rules = [_paraphrased(product, language, chance) for product in products]
    if decisive < _RULES:
        asked, answer = question.format(product=products[decisive]), rules[decisive][1]
    messages = (
        *(Message(role="system", content=text) for text, _ in rules),
        Message(role="user", content=told),
        Message(role="assistant", content=thanked, loss=False),
        Message(role="user", content=asked),
        Message(role="assistant", content=answer),
    )
    return Dialogue(Transcript(id=name, messages=messages), f"m{decisive}", how, language)


def _paraphrased(product: str, language: str, chance: random.Random) -> tuple[str, str]:
    """A rule, and the reply of one who asks for it."""
    wordings, reply = chance.choice(_PARAPHRASES[language])
    return chance.choice(wordings).format(product=product), reply
