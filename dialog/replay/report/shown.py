"""Replies in a page: untrusted text, escaped, its invisible characters made visible, its length bounded.

html("<b>\\u202e")     # "&lt;b&gt;⟨U+202E⟩"
"""

from __future__ import annotations

import re
from html import escape

MAX_CHARS = 20_000
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb\ufffe\uffff]"
)


def html(text: str) -> str:
    """`text` as HTML's text or attribute; more than `MAX_CHARS` is cut, and says so."""
    return escape(plain(text))


def plain(text: str) -> str:
    """`text` without characters that are obeyed rather than read; each is named in their place."""
    shown = _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text[:MAX_CHARS])
    return shown if len(text) <= MAX_CHARS else f"{shown}… (cut: {len(text)} characters in all)"


def number(value: float | None, *, signed: bool = False) -> str:
    """A score in four digits; `n/a` for None."""
    if value is None:
        return "n/a"
    return f"{value:+.4g}" if signed else f"{value:.4g}"
