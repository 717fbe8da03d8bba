"""What may reach the terminal: printable text, line breaks and tabs, whatever the model or a document says.

A stateful filter, because an escape sequence may be cut by the chunks of a
stream. Control sequences vanish whole, other control characters singly, a
carriage return becomes a line break (it could overwrite what was shown). The
result does not depend on where the stream is cut, and memory is constant: a
sequence is counted, never kept.

    screen = TerminalFilter()
    for delta in stream:
        out.write(screen.feed(delta))
    out.write(screen.flush())

Refuses to interpret: there is no colour, cursor or link a reply may ask for.
"""

from __future__ import annotations

import re
from typing import Literal

MAX_STRING_CHARS = 4096
"""Longest OSC, DCS, APC, PM or SOS body that is swallowed while its end is awaited."""
MAX_PARAMETER_CHARS = 64
"""Longest run of parameters in a CSI or ESC sequence that is swallowed."""

_State = Literal["ground", "escape", "intermediate", "parameters", "string"]

_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
_NOT_TEXT = "\ud800-\udfff\ufff9-\ufffb"
_SPECIAL = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}{_NOT_TEXT}]")
_STRING_END = re.compile("[\x07\x0a\x0d\x18\x1a\x1b\x9c]")
_LINE_BREAKS = frozenset("\x0b\x0c\r\x85\u2028\u2029")
_STRING_STARTS = frozenset("\x90\x98\x9d\x9e\x9f")


class TerminalFilter:
    """Removes everything a terminal would obey from a stream of text."""

    def __init__(self) -> None:
        self._state: _State = "ground"
        self._num_swallowed = 0
        self._after_return = False

    def feed(self, text: str) -> str:
        """The part of `text` that is safe to show; empty while inside a control sequence."""
        kept: list[str] = []
        at = 0
        while at < len(text):
            if self._state == "ground":
                at = self._show(text, at, kept)
            elif self._state == "string":
                at = self._skip_string(text, at)
            else:
                at = self._skip_sequence(text, at)
        return "".join(kept)

    def flush(self) -> str:
        """End of the stream: an unfinished sequence is forgotten. Always "", nothing is ever held back."""
        self._enter("ground")
        self._after_return = False
        return ""

    def _enter(self, state: _State) -> None:
        self._state = state
        self._num_swallowed = 0

    def _show(self, text: str, at: int, kept: list[str]) -> int:
        if self._after_return:
            self._after_return = False
            if text[at] == "\n":
                return at + 1
        found = _SPECIAL.search(text, at)
        end = found.start() if found else len(text)
        kept.append(text[at:end])
        if found is None:
            return end
        char = found.group()
        if char in _LINE_BREAKS:
            kept.append("\n")
            self._after_return = char == "\r"
        elif char == "\x1b":
            self._enter("escape")
        elif char == "\x9b":
            self._enter("parameters")
        elif char in _STRING_STARTS:
            self._enter("string")
        elif "\ud800" <= char <= "\udfff":
            kept.append("\ufffd")
        return end + 1

    def _skip_string(self, text: str, at: int) -> int:
        """Swallow up to the terminator; a line break ends it too, so a lost terminator costs one line."""
        limit = at + MAX_STRING_CHARS - self._num_swallowed
        found = _STRING_END.search(text, at, limit)
        if found is None:
            end = min(limit, len(text))
            self._num_swallowed += end - at
            if end == limit:
                self._enter("ground")
            return end
        if found.group() == "\x1b":  # of `ESC \`, or a new sequence: both are two characters at least
            self._enter("escape")
            return found.end()
        self._enter("ground")
        return found.start() if found.group() in "\r\n" else found.end()

    def _skip_sequence(self, text: str, at: int) -> int:
        char = text[at]
        self._num_swallowed += 1
        if self._state == "escape":
            if char == "[":
                self._enter("parameters")
            elif char in "]PX^_":
                self._enter("string")
            elif " " <= char <= "/":
                self._enter("intermediate")
            else:
                self._enter("ground")
                return at + ("0" <= char <= "~")
            return at + 1
        first_final = "@" if self._state == "parameters" else "0"
        if self._num_swallowed > MAX_PARAMETER_CHARS or not " " <= char <= "~":
            self._enter("ground")
            return at
        if first_final <= char:
            self._enter("ground")
        return at + 1


def safe_text(text: str) -> str:
    """A whole text made safe to show."""
    return TerminalFilter().feed(text)
