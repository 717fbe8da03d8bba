"""What short messages in the middle of a flow mean: yes, no, stop, "not that", "a person please".

By rules, in both languages, and only where the whole message says so: `yes, but
MK-10483` is no plain yes, `不可以` no 可以.
"""

from __future__ import annotations

import re
import unicodedata

_FILL = (
    r"please|then|thanks|thank you|well|oh|ah|that's|that is|it is|it's|so|just|now|actually|sorry|wait|hmm"
    r"|谢谢|请|那|就|吧|啊|呀|哦|了|的|嗯"
)
_YES = (
    r"yes|yeah|yep|yup|sure|ok|okay|right|correct|exactly|absolutely|definitely|go ahead|do it|do that"
    r"|confirm|confirmed|i confirm|sounds good|fine|good"
    r"|是|对|好|好的|没错|确认|可以|行|没问题|同意|正确|嗯嗯"
)
_NO = (
    r"no|nope|nah|not (?:quite|right|correct|really|yet|ok|okay|good|fine)|wrong|incorrect|don't|do not"
    r"|不|不是|不对|错|不行|不可以|不好|没有|否|别"
)
_STOP = (
    r"(?:no )?(?:stop|never ?mind|forget (?:it|about it|that)|leave it"
    r"|i changed my mind|i've changed my mind|drop it)"
    r"|(?:不 )?算了|不用|不用了|不要了|不办了|不需要了|改主意了|先不弄了|停止|停"
)
_CANCEL = r"cancel|cancel (?:it|this|that)|取消|取消它|取消这个"
_HUMAN = re.compile(
    r"\b(?:talk|speak|chat|connect me|transfer me|put me through|get me|want|need|prefer|like|is there)\b"
    r"[^.?!]{0,24}\b"
    r"(?:human|real person|person|agent|representative|colleague|manager|operator|someone real)\b"
    r"|^(?:human|agent|operator|representative)(?: please)?$"
    r"|(?:转|找|要|接|换)(?:一下|个|一个)?(?:人工|真人|客服人员|人工客服|经理|主管|人来)|^人工(?:客服|服务)?$",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"^\s*(?:no|sorry|oops|wait)\b"
    r"|\b(?:wrong|i meant|i mean|actually|instead|rather|correction|mistyped|typo)\b"
    r"|\b(?:make|change) (?:it|that)\b|\bnot\b"
    r"|不对|不是|弄错|搞错|写错|说错|打错|错了|改成|改为|应该是|更正|换成|而是",
    re.IGNORECASE,
)
_FORMER = re.compile(r"(?:\bnot|\binstead of|\brather than|不是|而非)\s*(?:the\s)?$", re.IGNORECASE)
_ASKS = re.compile(
    r"[?？]\s*$|^(?:how|what|when|where|which|who|why|do|does|did|can|could|is|are|will|would|may)\b"
    r"|怎么|怎样|如何|什么|多少|多久|几天|哪|为什么|能不能|可不可以|可以.*吗|吗\s*$|呢\s*$",
    re.IGNORECASE,
)


def is_yes(text: str) -> bool:
    """The whole message agrees."""
    return _is_only(text, _YES)


def is_no(text: str) -> bool:
    """The whole message denies."""
    return _is_only(text, _NO)


def is_stop(text: str) -> bool:
    """The whole message gives the matter up."""
    return _is_only(text, _STOP)


def is_bare_cancel(text: str) -> bool:
    """`cancel` alone: giving up, or, where a cancellation is to be confirmed, its very subject."""
    return _is_only(text, _CANCEL)


def wants_human(text: str) -> bool:
    return bool(_HUMAN.search(_plain(text)))


def is_correcting(text: str) -> bool:
    """The message takes something back."""
    return bool(_CORRECTS.search(_plain(text)))


def is_former(text: str, start: int) -> bool:
    """What begins at `start` is what was wrong: `not MK-10482`, `不是 MK-10482`."""
    return bool(_FORMER.search(text[:start]))


def is_asking(text: str) -> bool:
    """The message, or a sentence of it, is a question."""
    return bool(_ASKS.search(text.strip()))


def _is_only(text: str, cue: str) -> bool:
    bare = re.sub(r"[\s,.!~;:,。!、;~]+", " ", _plain(text)).strip()
    return bool(
        re.fullmatch(rf"(?:(?:{_FILL}) ?)*(?:(?:{cue})(?![a-z]) ?(?:(?:{_FILL})(?![a-z]) ?)*)+", bare)
    )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'").casefold().strip()
