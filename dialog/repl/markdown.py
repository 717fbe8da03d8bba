"""Markdown as it streams: each line gets its look once, when its kind is known, and is never redrawn.

Prose, headings, list items and quotations flow word by word; code comes line
by line; a table waits until it is complete, because its columns need all rows.
A line break in the source is a line break on the screen. Rich's own markup is
text here (`[/INST]` stays `[/INST]`), links are shown, never made clickable.

    page = MarkdownStream(console)
    for delta in deltas:      # already through dialog.guard.terminal
        page.feed(delta)
    page.finish()
"""

from __future__ import annotations

import re
from typing import Literal

from rich.console import Console
from rich.markdown import Markdown
from rich.rule import Rule
from rich.style import Style
from rich.text import Text

from dialog.repl.flow import Flow
from dialog.repl.inline import Inline

Kind = Literal["prose", "heading", "bullet", "ordered", "quote", "rule", "fence", "table"]
MAX_TABLE_LINES = 200

_FENCE_START = re.compile(r" {0,3}(?:```|~~~)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^`]*$")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_TABLE_LINE = re.compile(r" {0,3}\|")
_TABLE_RULE = re.compile(r" {0,3}\|?(?:[ \t]*:?-+:?[ \t]*\|?)+$")
_LEADS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("heading", re.compile(r" {0,3}#{1,6}[ \t]+(?=[^ \t])")),
    ("quote", re.compile(r" {0,3}>[ \t]?(?=[^ \t>])")),
    ("bullet", re.compile(r"[ \t]*[-*+][ \t]+(?=[^ \t])")),
    ("ordered", re.compile(r"[ \t]*\d{1,9}[.)][ \t]+(?=[^ \t])")),
    ("prose", re.compile(r"[ \t]*(?=[^ \t])")),
)
_UNDECIDED = re.compile(r"[ \t]*(?:[-*_+ \t]*|\d{0,9}[.)]?|#{0,6}|[> ]*|`+|~+)[ \t]*")
_CODE = Style(color="cyan")
_DIM = Style(dim=True)


class MarkdownStream:
    """Shows one reply on a console, append-only."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._flow = Flow(console)
        self._inline = Inline(self._flow)
        self._line = ""
        self._kind: Kind | None = None
        self._fence = ""
        self._table: list[str] = []
        self._blank_due = False
        self._shown_any = False

    @property
    def is_mid_line(self) -> bool:
        """True if a line is on the screen that is not complete."""
        return self._flow.is_mid_line

    def feed(self, text: str) -> None:
        """More of the reply, cut anywhere."""
        *complete, rest = text.split("\n")
        for part in complete:
            self._grow(part)
            self._end_line()
        self._grow(rest)

    def finish(self) -> None:
        """The reply is over, perhaps in the middle of a line or a table."""
        if self._line or self._kind:
            self._end_line()
        self._show_table()

    def _grow(self, text: str) -> None:
        if not text:
            return
        if self._kind is not None:
            self._inline.feed(text)
            return
        self._line += text
        if self._fence or _TABLE_LINE.match(self._line) or _FENCE_START.match(self._line):
            return
        if not _UNDECIDED.fullmatch(self._line):
            self._begin()

    def _begin(self) -> None:
        """The line's kind is known: show its lead and let the rest flow."""
        self._show_table()
        self._space()
        kind, found = _lead_of(self._line)
        self._kind = kind
        lead, rest = found.group().expandtabs(4), self._line[found.end() :]
        base = Style(bold=True) if kind == "heading" else Style()
        indent = " " * (len(lead) - len(lead.lstrip()))
        if kind == "bullet":
            self._flow.begin_line(f"{indent}• ", prefix=f"{indent}  ")
        elif kind == "ordered":
            self._flow.begin_line(f"{indent}{lead.strip()} ", prefix=" " * (len(indent + lead.strip()) + 1))
        elif kind == "quote":
            self._flow.begin_line("│ ", prefix="│ ", style=_DIM)
        else:
            self._flow.begin_line(indent if kind == "prose" else "", prefix=indent if kind == "prose" else "")
        self._line = ""
        self._inline.begin(base)
        self._inline.feed(rest)

    def _end_line(self) -> None:
        line, kind = self._line, self._kind
        self._line, self._kind = "", None
        if kind is not None:
            self._inline.end()
            self._flow.end_line()
        elif self._fence:
            self._code_line(line)
        elif fence := _FENCE.match(line):
            self._show_table()
            self._space()
            self._fence = fence.group(1)
        elif _TABLE_LINE.match(line):
            self._table.append(line)
            if len(self._table) >= MAX_TABLE_LINES:
                self._show_table()
        elif not line.strip():
            self._show_table()
            self._blank_due = self._shown_any
        elif _RULE.match(line):
            self._show_table()
            self._space()
            self._console.print(Rule(style="dim"))
        else:  # `-`, `##`, `12.` alone: nothing followed that could make it a list or a heading
            self._kind = "prose"
            self._show_table()
            self._space()
            self._flow.begin_line()
            self._inline.begin(Style())
            self._inline.feed(line)
            self._end_line()

    def _code_line(self, line: str) -> None:
        closing = _FENCE.match(line)
        if closing and closing.group(1).startswith(self._fence) and not line.strip().strip(self._fence[0]):
            self._fence = ""
            return
        self._console.print(Text("  " + line, style=_CODE), soft_wrap=True)

    def _show_table(self) -> None:
        if not self._table:
            return
        lines, self._table = self._table, []
        self._space()
        if len(lines) > 1 and _TABLE_RULE.match(lines[1]):
            self._console.print(Markdown("\n".join(lines), hyperlinks=False), width=self._console.width - 1)
        else:
            self._console.print(Text("\n".join(lines)), soft_wrap=True)

    def _space(self) -> None:
        if self._blank_due:
            self._console.print()
        self._blank_due = False
        self._shown_any = True


def _lead_of(line: str) -> tuple[Kind, re.Match[str]]:
    """The kind of a line whose beginning decides it, and the match of its lead."""
    for kind, pattern in _LEADS:
        if found := pattern.match(line):
            return kind, found
    raise AssertionError(f"{line!r} has no beginning")
