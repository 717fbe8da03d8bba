"""What may enter a prompt: any text, literally, but never as a control token.

That markers such as `<|im_start|>` in a message stay text is the renderer's doing
(`dialog.prompt.template`: control ids come from the chat template alone). This
file owns what is left: characters no tokenizer, store or terminal can carry
are removed and reported, sizes are bounded, and for servers that render on their
own side, where we cannot choose the ids, `defuse` breaks markers visibly.

    cleaned = clean("order\\x00 12", max_bytes=1_000_000)
    cleaned.text, cleaned.removed          # "order 12", ("NUL",)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dialog.errors import DialogError

_SURROGATES = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_WORD_JOINER = "\u2060"
_MARKER = re.compile(
    r"<(?=[|｜][^<>\n]{1,64}[|｜]>)"  # <|im_end|>, <|eot_id|>, <｜User｜>
    r"|<(?=/?(?:s|bos|eos|pad|unk|think|tools?|tool_call|tool_response|(?:start|end)_of_turn)>)"
    r"|\[(?=/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\])"
    r"|<(?=</?SYS>>)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Cleaned:
    """Text fit for a prompt, and the names of what had to go (empty for nearly every text)."""

    text: str
    removed: tuple[str, ...] = ()


class MessageTooLarge(DialogError):
    """A message is larger than the guard lets in; both sizes in bytes of UTF-8."""

    def __init__(self, *, size_bytes: int, limit_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes
        super().__init__(
            f"the message has {size_bytes} bytes and at most {limit_bytes} are taken; "
            "send less text, index it as a document, or raise guard.max_message_bytes"
        )


def clean(text: str, *, max_bytes: int | None = None) -> Cleaned:
    """Remove NUL characters; make surrogate pairs one character and lone ones U+FFFD.

    Everything else survives as it is: no normal form is applied, so what the
    user typed is what the model reads and what the record holds.

    Raises:
        MessageTooLarge: the text has more than `max_bytes` bytes of UTF-8.
    """
    if max_bytes is not None:
        size = _num_bytes(text)
        if size > max_bytes:
            raise MessageTooLarge(size_bytes=size, limit_bytes=max_bytes)
    if _is_fit(text):
        return Cleaned(text)
    removed = []
    if "\x00" in text:
        text = text.replace("\x00", "")
        removed.append("NUL")
    if _SURROGATES.search(text):
        text = _PAIR.sub(_join_pair, text)
        text, num_lone = _SURROGATES.subn("\ufffd", text)
        removed.append("lone surrogate" if num_lone else "surrogate pair")
    return Cleaned(text, tuple(removed))


def defuse(text: str) -> str:
    """The text with an invisible word joiner inside everything that looks like a control marker.

    Only for servers that tokenize on their side: there a marker in a message
    could become a control token. The text is changed, so it is never used
    where we hold the tokenizer.
    """
    return _MARKER.sub(lambda match: match.group() + _WORD_JOINER, text)


def _is_fit(text: str) -> bool:
    """Nothing to remove; ten times faster than a search by regular expression, for every text passes here."""
    if "\x00" in text:
        return False
    try:
        return text.isascii() or bool(text.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def _num_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _join_pair(match: re.Match[str]) -> str:
    return match.group().encode("utf-16", "surrogatepass").decode("utf-16")
