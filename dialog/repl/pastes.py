"""Long pastes: one short token on the line, the whole text in the message.

token = pastes.keep(text)       # "[paste 1: 10000 lines]"
pastes.expand(f"why? {token}")  # the text again
"""

from __future__ import annotations

MAX_INLINE_LINES = 10
MAX_INLINE_CHARS = 2_000


class Pastes:
    """The pastes of the line being typed."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def clear(self) -> None:
        """The line is done."""
        self._texts.clear()

    def keep(self, text: str) -> str:
        """What to put on the line for a paste: itself if short, else a token."""
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        num_lines = text.count("\n") + 1
        if num_lines <= MAX_INLINE_LINES and len(text) <= MAX_INLINE_CHARS:
            return text
        size = f"{num_lines} lines" if num_lines > 1 else f"{len(text)} characters"
        token = f"[paste {len(self._texts) + 1}: {size}]"
        self._texts[token] = text
        return token

    def expand(self, line: str) -> str:
        """The line with every token replaced; what a paste says is not looked at again."""
        parts = [line]
        for token, text in self._texts.items():
            parts = [piece for part in parts for piece in _split(part, token, text)]
        return "".join(parts)

    def lost(self, line: str) -> list[str]:
        """Tokens that are no longer on the line as they were put there."""
        return [token for token in self._texts if token not in line]


class _Pasted(str):
    """A piece that is pasted text."""


def _split(part: str, token: str, text: str) -> list[str]:
    if isinstance(part, _Pasted):
        return [part]
    pieces: list[str] = []
    for number, piece in enumerate(part.split(token)):
        if number:
            pieces.append(_Pasted(text))
        pieces.append(piece)
    return pieces
