"""A request in a conversation: is a text to be written, which kind, and by which rules?

request("Write an email of at most 50 words to the courier")     # Input(kind="email", max_words=50, ...)
"""

from __future__ import annotations

import re

from dialog.text import normalise
from skills.generate.records import Input, Kind

_KINDS: tuple[tuple[Kind, str, str], ...] = (
    ("email", r"e-?mail|letter", r"邮件|信(?![用息号任封])|电邮"),
    ("title", r"title|heading|headline|subject line", r"标题|题目|主题"),
    ("reply", r"reply|response|answer|message|text", r"回复|答复|消息|短信|文案"),
)
_VERB = r"(?:please |can you |could you |help me )?(?:write|draft|compose|suggest|formulate)\b"
_VERB_ZH = r"(?:请|帮我|替我|给我|麻烦)*(?:写|起草|拟|草拟|撰写|起)(?!错|在|的)"
_NO_REQUEST = re.compile(
    r"\b(?:on|in|into|inside) (?:the|a|my|your) (?:(?:gift|greeting|birthday) )?"
    r"(?:card|parcel|package|box|invoice)\b"
    r"|^\W*(?:写|拟|起).*(?:多久|几天|几个|怎么|如何|哪里|哪儿|哪个|什么时候|多少|吗\W*$)"
)
"""A question about the shop: what it writes on a card, how long a letter to it takes."""
_LIMITS = (
    (
        "max_words",
        re.compile(r"\b(?:at most|no more than|up to|under|max(?:imum)?(?: of)?) (\d{1,4}) words\b"),
    ),
    ("max_words", re.compile(r"(?:不超过|最多|不多于|少于)(\d{1,4})(?:个)?字|(\d{1,4})(?:个)?字以内")),
    ("min_words", re.compile(r"\bat least (\d{1,4}) words\b")),
    ("min_words", re.compile(r"(?:至少|不少于)(\d{1,4})(?:个)?字")),
)
_LANGUAGE = (
    (re.compile(r"\bin english\b|用英[文语]"), "en"),
    (re.compile(r"\bin chinese\b|用中文|用汉语"), "zh"),
)


def request(text: str, about: str = "") -> Input | None:
    """The item a message asks for; None if it does not ask for a text."""
    plain = normalise(text)
    if _NO_REQUEST.search(plain):
        return None
    for kind, english, chinese in _KINDS:
        wanted = re.match(
            rf"\W*{_VERB}.{{0,40}}?\b(?:{english})s?\b|\W*{_VERB_ZH}.{{0,16}}?(?:{chinese})", plain
        )
        if wanted:
            language = next((code for pattern, code in _LANGUAGE if pattern.search(plain)), None)
            limits = {name: _number(found) for name, rule in _LIMITS if (found := rule.search(plain))}
            return Input.model_validate(
                {"instruction": text, "kind": kind, "text": about, "language": language, **limits}
            )
    return None


def _number(found: re.Match[str]) -> int:
    return max(1, int(next(group for group in found.groups() if group)))
