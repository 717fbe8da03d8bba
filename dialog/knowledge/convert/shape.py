"""Headings guessed where a document marks none: short lines that stand out.

looks_like_heading("三、退货条件")      # True
looks_like_heading("We open at nine.")  # False
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from dialog.knowledge.convert.pieces import Piece, heading

_MAX_CHARS = 90
_MAX_SHARE = 0.4
_ENDS_SENTENCE = re.compile(r"[.。!！;；,，、:：…]\s*$")
_NUMBERED = re.compile(r"\d+(?:\.\d+)*\.?$")
_CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u2018-\u201f\U00020000-\U0003ffff]+")
_DEPTH = re.compile(r"^\d+((?:\.\d+)+)")


def looks_like_heading(text: str) -> bool:
    """Short, one line, holds a letter, and does not end like a sentence."""
    stripped = text.strip()
    return (
        0 < len(stripped) <= _MAX_CHARS
        and "\n" not in stripped
        and any(character.isalpha() for character in stripped)
        and not (_ENDS_SENTENCE.search(stripped) and not _NUMBERED.search(stripped))
    )


def is_cjk(text: str) -> bool:
    """Whether nothing but Chinese characters and punctuation is in `text`: no space stands between them."""
    return bool(_CJK.fullmatch(text))


def numbered_depth(text: str) -> int:
    """How deep `1.2.3 Title` is below `1 Title`: 2."""
    match = _DEPTH.match(text.strip())
    return match.group(1).count(".") if match else 0


def by_bold_lines(pieces: Sequence[Piece], bold: Collection[str]) -> list[Piece]:
    """Bold lines made headings, unless so much is bold that it means nothing."""
    candidates = [p.kind == "text" and p.text in bold and looks_like_heading(p.text) for p in pieces]
    if sum(candidates) > _MAX_SHARE * len(pieces) + 1:
        return list(pieces)
    return [
        heading(piece.text, level=2 + numbered_depth(piece.text), page=piece.page) if stands_out else piece
        for piece, stands_out in zip(pieces, candidates, strict=True)
    ]
