"""Whether somebody asks for a summary of the conversation."""

from __future__ import annotations

import re

from dialog.text import normalise

_REQUEST = re.compile(
    r"\b(summari[sz]e|sum up|recap|tl;?dr)\b|\bsummary of (this|our|the) (chat|conversation|talk)\b"
    r"|\b(give|write|send) me a (short |brief )?(summary|recap)\b"
    r"|(总结|概括|归纳|小结)(一下|下)?.{0,8}(对话|聊天|谈话|以上|上面|刚才|前面|情况)?"
    r"|(对话|聊天)(摘要|纪要|总结)"
)
_MAX_CHARS = 200


def is_request(text: str) -> bool:
    """True for `sum up our chat` and `总结一下对话`; a long message is none, whatever word it holds."""
    return len(text) <= _MAX_CHARS and bool(_REQUEST.search(normalise(text)))
