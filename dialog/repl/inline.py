"""Emphasis and code inside a line, while the line is still arriving.

Text flows on at once; from an opening `**`, `*` or backtick it is held until
the closing one comes, and shown as it stands if none does before the line ends
or within `MAX_OPEN_CHARS`. A star after a letter or digit is a star: `5*3*2`
keeps its numbers apart.

    inline = Inline(flow)
    inline.begin(Style())
    inline.feed("the fee is **¥1")
    inline.feed("5** per parcel")
    inline.end()
"""

from __future__ import annotations

import re

from rich.style import Style

from dialog.repl.flow import Flow

MAX_OPEN_CHARS = 300

_ESCAPABLE = r"[\\`*_\[\]#|>~.-]"
_OPENING = re.compile(rf"\\(?:$|{_ESCAPABLE})|`+|\*\*?(?=\S)|\*+$")
_SPAN = re.compile(
    rf"\\(?P<escaped>{_ESCAPABLE})"
    rf"|(?P<ticks>`+)(?!`)(?P<code>.{{1,{MAX_OPEN_CHARS}}}?)(?<!`)(?P=ticks)(?!`)"
    rf"|\*\*(?=\S)(?P<bold>[^*]{{0,{MAX_OPEN_CHARS}}}?[^*\s])\*\*"
    rf"|\*(?=[^\s*])(?P<italic>[^*]{{0,{MAX_OPEN_CHARS}}}?[^*\s])\*(?!\*)"
)
_LONGEST_SPAN = MAX_OPEN_CHARS + 10
_STYLES = {
    "escaped": Style(),
    "code": Style(color="cyan"),
    "bold": Style(bold=True),
    "italic": Style(italic=True),
}


class Inline:
    """Feeds a `Flow` with the styled pieces of one line after another."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._base = Style()
        self._held = ""
        self._last = ""

    def begin(self, base: Style) -> None:
        """A new line in style `base`."""
        self._base = base
        self._held = self._last = ""

    def feed(self, text: str) -> None:
        """More of the line; never contains a line break."""
        self._held += text
        self._release(is_last=False)

    def end(self) -> None:
        """The line is complete: what was never closed is plain text."""
        self._release(is_last=True)

    def _release(self, *, is_last: bool) -> None:
        text, at = self._held, 0
        while opening := _OPENING.search(text, at):
            start = opening.start()
            self._write(text[at:start])
            at = start
            if not is_last and opening.end() == len(text):
                break  # another star or tick may follow
            span = _SPAN.match(text, start)
            if opening.group().startswith("*") and self._last.isascii() and self._last.isalnum():
                span, at = None, opening.end()
                self._write(opening.group())
            elif span and (is_last or span.end() < len(text)):
                kind = span.lastgroup or ""
                self._write(span[kind], _STYLES[kind])
                at = span.end()
            elif is_last or len(text) - start > _LONGEST_SPAN:
                self._write(opening.group())
                at = opening.end()
            else:
                break
        else:
            self._write(text[at:])
            at = len(text)
        self._held = text[at:]

    def _write(self, text: str, style: Style | None = None) -> None:
        if text:
            self._flow.write(text, style=self._base + style if style else self._base)
            self._last = text[-1]
