"""Written numbers and their values: `10,000`, `1.2万`, `一万二`, `壹佰`, `twenty-one`, `3 million`.

NUMERAL is a pattern without groups for any of them; `value_of` reads what it
matched. What could be several numbers (`两三`, `twenty twenty`) has none.
"""

from __future__ import annotations

import re
from decimal import Decimal

_HAN_DIGITS = {
    char: value
    for value, chars in enumerate(
        ("零〇", "一壹", "二贰两俩", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for char in chars
}
_HAN_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_HAN_MYRIADS = {"万": 10_000, "萬": 10_000, "亿": 10**8, "億": 10**8}
_SCALES = {
    "百万": 10**6,
    "千万": 10**7,
    "十万": 10**5,
    "万": 10_000,
    "亿": 10**8,
    "千": 1000,
    "百": 100,
    "k": 1000,
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
}
_WORDS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_WORD_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6}
_HAN = "".join([*_HAN_DIGITS, *_HAN_TENS, *_HAN_MYRIADS])
_WORD = "(?:" + "|".join(sorted([*_WORDS, *_WORD_SCALES], key=len, reverse=True)) + ")"

HAN_NUMERAL = rf"[{_HAN}]{{1,24}}(?:点[{''.join(_HAN_DIGITS)}]{{1,9}})?"
ARABIC = r"(?<!\d)(?<!\d[.,])(?:\d{1,3}(?:,\d{3}){1,6}(?![\d,])|\d{1,24}(?!\d))(?:\.\d{1,9}(?![\d]))?"
_SCALED = rf"{ARABIC}(?: ?(?:百万|千万|十万|万|亿|千|百|(?:k|hundred|thousand|million|billion)(?![a-z])))?"
_SPELLED = rf"(?<![a-z]){_WORD}(?:(?:[ -]|-? ?and ){_WORD}){{0,8}}(?![a-z])"
NUMERAL = rf"(?:{_SCALED}|{HAN_NUMERAL}|{_SPELLED})"


def value_of(numeral: str) -> Decimal | None:
    """The value of what NUMERAL matched, folded; None where it is no single number."""
    if numeral[0].isdigit() and numeral[0].isascii():
        return _arabic(numeral)
    return _spelled(numeral) if numeral[0].isascii() else _han(numeral)


def _arabic(numeral: str) -> Decimal:
    digits = re.match(r"[\d.,]+", numeral)
    assert digits is not None
    scale = numeral[digits.end() :].strip()
    return Decimal(digits.group().replace(",", "")) * _SCALES.get(scale, 1)


def _spelled(numeral: str) -> Decimal | None:
    total, part, room = 0, 0, 10**9
    for word in re.findall(r"[a-z]+", numeral):
        if word == "and":
            continue
        if word in _WORDS:
            value = _WORDS[word]
            if room <= value or (part and room > 100):
                return None
            part, room = part + value, 10 if value >= 20 else 0
        elif word == "hundred":
            if not 0 < part < 10:
                return None
            part, room = part * 100, 100
        else:
            total, part, room = total + max(part, 1) * _WORD_SCALES[word], 0, 10**9
    return Decimal(total + part)


def _han(numeral: str) -> Decimal | None:
    whole, _, fraction = numeral.partition("点")
    value = _han_whole(whole)
    if value is None or not fraction:
        return value
    return Decimal(f"{value:f}." + "".join(str(_HAN_DIGITS[char]) for char in fraction))


def _han_whole(numeral: str) -> Decimal | None:
    """Sections of up to four digits, each with its 万 or 亿; a last digit is of the next place (`三千五`)."""
    if all(char in _HAN_DIGITS for char in numeral):
        return Decimal(_HAN_DIGITS[numeral]) if len(numeral) == 1 else None
    if numeral[0] not in _HAN_DIGITS and numeral[0] not in "十拾":
        return None
    total, section, digit, place = 0, 0, None, 0
    for char in numeral:
        if char in _HAN_DIGITS:
            if digit:
                return None
            digit = _HAN_DIGITS[char]
            place = 0 if digit == 0 else place
        elif char in _HAN_TENS:
            place = _HAN_TENS[char]
            section, digit = section + (1 if digit is None else digit) * place, None
        else:
            place = _HAN_MYRIADS[char]
            section, digit = section + (digit or 0), None
            # 亿 multiplies what is before it (一万亿), 万 only its own section (一亿二千万).
            total = (total + section) * place if place > 10_000 else total + section * place
            section = 0
    last = (digit or 0) * (place // 10 if place > 10 else 1)
    return Decimal(total + section + last)
