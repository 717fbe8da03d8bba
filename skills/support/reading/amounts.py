"""Amounts of money and plain numbers: exactly, with their currency where one is named.

    amounts("退 1,999.50 元")     # value "1999.50 CNY"

`¥` is read as yuan.
"""

from __future__ import annotations

import re
from decimal import Decimal

from skills.support.reading.found import Found
from skills.support.reading.numerals import NUMERAL, whole

_CURRENCIES = {
    **dict.fromkeys(("¥", "元", "块", "块钱", "人民币", "cny", "rmb", "yuan"), "CNY"),
    **dict.fromkeys(("$", "us$", "美元", "美金", "usd", "dollar", "dollars"), "USD"),
    **dict.fromkeys(("€", "欧元", "eur", "euro", "euros"), "EUR"),
    **dict.fromkeys(("£", "英镑", "gbp", "pound", "pounds"), "GBP"),
}
_UNIT = "|".join(re.escape(unit) for unit in sorted(_CURRENCIES, key=len, reverse=True))
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_AMOUNT = re.compile(
    rf"(?<![\w.,/-])(?:(?P<before>{_UNIT})\s?)?(?P<n>{_NUMBER})\s?(?P<wan>万)?\s?(?:(?P<after>{_UNIT})(?![a-z]))?",
    re.IGNORECASE,
)
_COUNT = re.compile(rf"(?<![\w.,/-]){NUMERAL}(?![\d.,/-]*\d|[a-z-])", re.IGNORECASE)


def amounts(text: str, *, bare: bool) -> list[Found]:
    """The amounts in NFKC text, in order; `bare` takes numbers without a currency, too."""
    found = []
    for match in _AMOUNT.finditer(text):
        unit = match["before"] or match["after"]
        follows = text[match.end() : match.end() + 1]
        if (unit is None and not bare) or (
            unit is None and follows and (follows.isalnum() or follows in "-/:%")
        ):
            continue
        amount = Decimal(match["n"].replace(",", ""))
        if match["wan"]:
            amount = (amount * 10_000).quantize(Decimal(1))
        value = f"{amount:f} {_CURRENCIES[unit.casefold()]}" if unit else f"{amount:f}"
        found.append(Found(value=value, start=match.start(), end=match.end()))
    return found


def numbers(text: str) -> list[Found]:
    """The whole numbers in NFKC text, in order, in digits or words."""
    found = []
    for match in _COUNT.finditer(text):
        number = whole(match[0])
        if number is not None and match[0].casefold() not in ("a", "an"):
            found.append(Found(value=str(number), start=match.start(), end=match.end()))
    return found
