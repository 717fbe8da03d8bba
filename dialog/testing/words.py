"""A chat tokenizer without a vocabulary: short words and single characters, ChatML around them.

An id above the control ids *is* its text (up to seven UTF-8 bytes read as a
number), so ids are stable between runs and any text survives `decode(encode(text))`.

    tokenizer = WordTokenizer()
    ids, spans = tokenizer.encode("Hi 你好")     # three tokens: "Hi", " ", "你" ... one a Han character
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from dialog.values import Message

CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
_CONTROL = re.compile("|".join(re.escape(token) for token in CONTROL_TOKENS))
_PIECE = re.compile(r" ?[A-Za-z]{1,6}|[\s\S]")
_FIRST_TEXT_ID = 256  # every text id has a leading 1 byte, so none can be a control id


class WordTokenizer:
    """A `protocols.ChatTokenizer`; `roles` are those its template accepts."""

    def __init__(self, *, roles: Sequence[str] = ("system", "user", "assistant", "tool")) -> None:
        self.roles = tuple(roles)
        self.fingerprint = hashlib.sha256(repr((CONTROL_TOKENS, self.roles)).encode()).hexdigest()[:16]

    def apply_template(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        for message in messages:
            if message.role not in self.roles:
                raise ValueError(f"the template knows no role {message.role!r}; known: {self.roles}")
        turns = [f"<|im_start|>{message.role}\n{message.content}<|im_end|>\n" for message in messages]
        return "".join(turns) + ("<|im_start|>assistant\n" if add_generation_prompt else "")

    def split_control(self, text: str) -> list[tuple[int | None, str]]:
        pieces: list[tuple[int | None, str]] = []
        start = 0
        for match in _CONTROL.finditer(text):
            if start < match.start():
                pieces.append((None, text[start : match.start()]))
            pieces.append((CONTROL_TOKENS.index(match.group()), match.group()))
            start = match.end()
        return [*pieces, (None, text[start:])] if start < len(text) else pieces

    def encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        matches = list(_PIECE.finditer(text))
        return [_id_of(match.group()) for match in matches], [match.span() for match in matches]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(_text_of(token) for token in ids)


def _id_of(piece: str) -> int:
    return int.from_bytes(b"\x01" + piece.encode("utf-8", "surrogatepass"), "big")


def _text_of(id: int) -> str:
    if 0 <= id < len(CONTROL_TOKENS):
        return CONTROL_TOKENS[id]
    if id < _FIRST_TEXT_ID:
        raise ValueError(f"{id} is neither a control id nor a text id")
    return id.to_bytes((id.bit_length() + 7) // 8, "big")[1:].decode("utf-8", "surrogatepass")
