"""Text that flows onto the screen word by word and is never touched again.

Owns the column: words wrap at the width the terminal has when their line
begins, wide characters count two cells, and a long reply scrolls away like
any output. Nothing is redrawn, so nothing can be shown twice.

    flow = Flow(console)
    flow.write("退货需在 7 天内", style="bold")
    flow.end_line()

A word is held until its end is known; `end_line` lets go of it.
"""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style

_WIDE = r"\u2e80-\u303e\u3041-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
_CLOSING = "、。，．：；！？）］｝〉》」』】〕…—”’％"
_OPENING = "（［｛〈《「『【〔“‘"
_UNIT = re.compile(rf"[ \t]+|[{_OPENING}]*[{_WIDE}][{_CLOSING}]*|[^ \t{_WIDE}]+[{_CLOSING}]*")
_GRAPHEME_JOINERS = "\u200d\ufe0f"
MAX_HELD_CHARS = 400


class Flow:
    """Writes styled words to a console, wrapping as it goes; `prefix` begins every continued line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held: list[tuple[str, Style]] = []
        self._column = 0
        self._width = console.width
        self._prefix = ""
        self._prefix_style = Style()
        self._gap = ""
        self._output: list[Segment] = []

    @property
    def is_mid_line(self) -> bool:
        """True if something of the current line is on the screen."""
        return self._column > 0

    @property
    def at_line_start(self) -> bool:
        """True if nothing is on the current line, shown or held."""
        return self._column == 0 and not self._held

    def begin_line(self, lead: str = "", *, prefix: str = "", style: Style | None = None) -> None:
        """Start a line with `lead`; where it wraps, `prefix` stands before the rest."""
        assert self.at_line_start, "the line before was not ended"
        self._width = max(self._console.width - 1, 4)
        self._prefix, self._prefix_style = prefix, style or Style()
        if cell_len(prefix) > self._width // 2:
            self._prefix = ""
        self._put(lead, self._prefix_style)
        self._show()

    def write(self, text: str, *, style: Style | None = None) -> None:
        """Add to the line. The last word stays held until something follows it."""
        self._held.append((text, style or Style()))
        self._release(keep_last=True)
        self._show()

    def end_line(self) -> None:
        """Show what is held and go to the next line."""
        self._release(keep_last=False)
        self._gap = ""
        self._output.append(Segment("\n"))
        self._column = 0
        self._show()

    def _release(self, *, keep_last: bool) -> None:
        pieces = self._held
        text = "".join(piece for piece, _ in pieces)
        units = [match.group() for match in _UNIT.finditer(text)]
        shown = sum(len(unit) for unit in units[:-1]) if keep_last else len(text)
        if keep_last and len(text) - shown > MAX_HELD_CHARS:
            shown = len(text)
        position = 0
        for unit in units:
            if position >= shown:
                break
            self._place(unit, _styles(pieces, position, position + len(unit)))
            position += len(unit)
        self._held = _after(pieces, shown)

    def _place(self, unit: str, styled: list[tuple[str, Style]]) -> None:
        if not unit.strip(" \t"):
            self._gap = unit.replace("\t", "    ") if self._column else ""
            return
        width = cell_len(unit)
        if self._column + cell_len(self._gap) + width > self._width and self._column > cell_len(self._prefix):
            self._wrap()
        self._put(self._gap, styled[0][1])
        self._gap = ""
        for text, style in styled:
            self._put_long(text, style)

    def _put_long(self, text: str, style: Style) -> None:
        """A word wider than the line is cut between characters, never inside a joined emoji."""
        if self._column + cell_len(text) <= self._width:
            self._put(text, style)
            return
        start, cells = 0, 0
        for at, char in enumerate(text):
            joined = char in _GRAPHEME_JOINERS or (at and text[at - 1] == "\u200d")
            width = 0 if joined else cell_len(char)
            if self._column + cells + width > self._width and self._column + cells > cell_len(self._prefix):
                self._put(text[start:at], style)
                self._wrap()
                start, cells = at, 0
            cells += width
        self._put(text[start:], style)

    def _wrap(self) -> None:
        self._output.append(Segment("\n"))
        self._gap = ""
        self._column = 0
        self._width = max(self._console.width - 1, 4)
        self._put(self._prefix, self._prefix_style)

    def _put(self, text: str, style: Style) -> None:
        if text:
            if self._output and self._output[-1].style == style:
                text_before = self._output.pop().text
                self._output.append(Segment(text_before + text, style))
            else:
                self._output.append(Segment(text, style))
            self._column += cell_len(text)

    def _show(self) -> None:
        if self._output:
            self._console.print(_Ready(self._output), end="", soft_wrap=True)
            self._output = []


class _Ready:
    """Styled pieces that rich passes through unmeasured and unparsed."""

    def __init__(self, segments: list[Segment]) -> None:
        self._segments = segments

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> list[Segment]:
        return self._segments


def _styles(pieces: list[tuple[str, Style]], start: int, end: int) -> list[tuple[str, Style]]:
    """The styled parts of the characters `start:end` of the joined pieces."""
    found, at = [], 0
    for text, style in pieces:
        part = text[max(start - at, 0) : max(end - at, 0)]
        if part:
            found.append((part, style))
        at += len(text)
    return found


def _after(pieces: list[tuple[str, Style]], position: int) -> list[tuple[str, Style]]:
    return _styles(pieces, position, sum(len(text) for text, _ in pieces))
