"""Whether somebody asks for a summary of the conversation, and not of something in the documents."""

from __future__ import annotations

import re

from dialog.text import normalise

_REQUEST = re.compile(
    r"\b(?:summari[sz]e|sum (?:(?:it|this|that|everything|all|things) )?up|recap|tl;?dr|summary)\b"
    r"|总结|概括|归纳|小结|(?:对话|聊天)(?:摘要|纪要)"
)
_TALK = re.compile(
    r"\b(?:chat|conversation|talk|discussion|dialogue|exchange|so far|(?:we|you|i)(?:'ve| have)? "
    r"(?:said|talked|discussed|spoke|agreed))\b"
    r"|对话|聊天|聊|谈|我们说|以上|上面|刚才|前面|到目前为止"
)
_BESIDE = re.compile(
    r"\b(?:please|can|could|would|will|you|now|kindly|quickly|briefly|me|us|give|write|send|a|an|the|short|brief"
    r"|quick|for|it|this|that|all|everything|again|so|then|ok|okay|let'?s|to|in|few|one|two|three|sentences?"
    r"|words?|points?|i|want|need|like)\b"
    r"|请|麻烦|帮|给|我|您|你|能|可以|一下|下|用|[一两二三几]|句话|简单|简短|地|做|个|吗|吧|呢|情况|再|这|的"
)
_MAX_CHARS = 200


def is_request(text: str) -> bool:
    """True for `sum up our chat`, `总结一下对话` and a bare `recap, please`, not for the return policy.

    A long message is none, whatever word it holds.
    """
    plain = normalise(text)
    if len(text) > _MAX_CHARS or not _REQUEST.search(plain):
        return False
    if _TALK.search(plain):
        return True
    return not re.search(r"\w", _BESIDE.sub(" ", _REQUEST.sub(" ", plain)))
