"""Two texts side by side: what only one of them says is marked; in Chinese a character is a word.

left, right = marked("within 30 days", "within 14 days")
# "within <mark>30</mark> days", "within <mark>14</mark> days"
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise

from dialog.replay.report.shown import html
from dialog.text import word_spans

MAX_WORDS = 500
"""Longer texts are shown unmarked: comparing takes quadratic time."""


def marked(left: str, right: str) -> tuple[str, str]:
    """Both as HTML."""
    ours, theirs = list(_pieces(left)), list(_pieces(right))
    if max(len(ours), len(theirs)) > 2 * MAX_WORDS:
        return html(left), html(right)
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    return (
        "".join(_part(ours[start:end], same=tag == "equal") for tag, start, end, _, _ in blocks),
        "".join(_part(theirs[start:end], same=tag == "equal") for tag, _, _, start, end in blocks),
    )


def _part(pieces: list[str], *, same: bool) -> str:
    text = html("".join(pieces))
    return text if same or not text.strip() else f"<mark>{text}</mark>"


def _pieces(text: str) -> Iterator[str]:
    """Words and what stands between them, in order; joined they are the text."""
    cuts = [0]
    for start, end in word_spans(text, 0, len(text)):
        cuts += [start, end]
    cuts.append(len(text))
    return (text[start:end] for start, end in pairwise(cuts) if start < end)
