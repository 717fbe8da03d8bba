"""Small whole numbers as people write them: `3`, `three`, `三`, `两`, `二十一`."""

from __future__ import annotations

_EN = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
]
_ZH = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0, "俩": 2}
NUMERAL = (
    rf"(?:\d{{1,9}}|{'|'.join(sorted(_EN, key=len, reverse=True))}|an?|[零〇一二两三四五六七八九十百]{{1,7}})"
)
"""A regular expression of what `whole` reads, without groups."""


def whole(text: str) -> int | None:
    """The number, below a thousand where it is in Chinese numerals; None where it is none."""
    plain = text.strip().casefold()
    if plain.isascii() and plain.isdigit():
        return int(plain)
    if plain in _EN:
        return _EN.index(plain)
    if plain in ("a", "an"):
        return 1
    return _chinese(plain)


def _chinese(text: str) -> int | None:
    total, digit = 0, None
    for char in text:
        if char in ("十", "百"):
            total += (1 if digit is None else digit) * (10 if char == "十" else 100)
            digit = None
        elif char in _ZH:
            digit = _ZH[char]
        else:
            return None
    return total + (digit or 0) if text else None
