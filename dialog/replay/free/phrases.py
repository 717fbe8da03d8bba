"""What a scripted user says besides the script: insisting, not knowing, agreeing; several ways of each.

said("insist", language="zh", draw=random.Random(0), about="运费谁出？")
"""

from __future__ import annotations

import random
from typing import Literal

from dialog.values import Language

Occasion = Literal["insist", "unknown", "agree", "told"]

_WAYS: dict[Occasion, dict[str, tuple[str, ...]]] = {
    "insist": {
        "en": (
            "That does not answer my question. {about}",
            "Let me ask again: {about}",
            "I still need to know this. {about}",
        ),
        "zh": ("您没有回答我的问题。{about}", "我再问一遍：{about}", "这个我还是想弄清楚。{about}"),
    },
    "unknown": {
        "en": ("I don't know that.", "I'm afraid I don't have that.", "I can't tell you that."),
        "zh": ("这个我不清楚。", "抱歉，我没有这个信息。", "这个我说不上来。"),
    },
    "agree": {
        "en": ("Yes, please.", "Yes, go ahead.", "Yes, that is right."),
        "zh": ("是的，请办理。", "好的，可以。", "对，没错。"),
    },
    "told": {
        "en": ("As I said: {about}", "I told you already: {about}", "Once more: {about}"),
        "zh": ("我刚才说过：{about}", "我已经告诉您了：{about}", "再说一次：{about}"),
    },
}


def said(occasion: Occasion, *, language: Language, draw: random.Random, about: str = "") -> str:
    """One of the ways; English where the language is not known."""
    ways = _WAYS[occasion].get(language, _WAYS[occasion]["en"])
    return draw.choice(ways).format_map({"about": about})
