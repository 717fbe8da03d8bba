"""Amounts of money, shares and discounts: `¥1,999`, `199元5角`, `$1.2 million`, `百分之五`, `八折`."""

from __future__ import annotations

import re
from decimal import Decimal

from dialog.metrics.facts.folding import Found, Page
from dialog.metrics.facts.numerals import ARABIC, NUMERAL, value_of

_CURRENCIES = {
    "cny": ("¥", "rmb", "cny", "人民币", "元", "块钱", "块", "yuan", "角", "毛钱", "分钱"),
    "usd": ("us$", "$", "usd", "美元", "美金", "dollars", "dollar", "bucks", "cents", "cent"),
    "eur": ("€", "eur", "欧元", "euros", "euro"),
    "gbp": ("£", "gbp", "英镑"),
    "hkd": ("hk$", "hkd", "港币", "港元"),
    "jpy": ("jpy", "日元", "yen"),
    "inr": ("₹", "rs.", "inr"),
}
_CURRENCY = {name: code for code, names in _CURRENCIES.items() for name in names}
_DIGITS = "零一二三四五六七八九"
_PARTS = {"角": 10, "毛钱": 10, "分钱": 100, "cents": 100, "cent": 100}
_BEFORE = r"(us\$|hk\$|[¥$€£₹]|(?<![a-z])(?:rmb|cny|usd|eur|gbp|hkd|jpy|inr|rs\.)|人民币)"
_AFTER = (
    r"(元|块钱|块(?=钱|[^\w]|$|左右|以[上内下])|人民币|美元|美金|欧元|英镑|港[币元]|日元|角|毛钱|分钱|[€£]"
    r"|(?:rmb|cny|yuan|dollars?|usd|bucks|euros?|eur|gbp|hkd|yen|jpy|inr|cents?)(?![a-z]))"
)
_SYMBOL = re.compile(rf"{_BEFORE} ?({NUMERAL})(?: ?(?:元|rmb|cny|usd|yuan)(?![a-z]))?")
_NAMED = re.compile(
    rf"(?:({NUMERAL}) ?[-~至到] ?)?({NUMERAL})(?: ?-?){_AFTER}(?:({ARABIC}|[一二三四五六七八九])角)?"
)
_PERCENT = re.compile(rf"({NUMERAL}) ?(?:%|percent(?![a-z])|per cent(?![a-z])|个百分点)|百分之({NUMERAL})")
_DISCOUNT = re.compile(rf"({ARABIC}|[一二三四五六七八九]{{1,2}}) ?折(?!扣?叠)")


def read_amounts(page: Page) -> None:
    """Take the amounts of a page whose dates and identifiers are taken already."""
    page.take(_PERCENT, lambda m: _amount("number", "number:%", value_of(m[1] or m[2])))
    page.take(_SYMBOL, lambda m: _amount("money", f"money:{_CURRENCY[m[1]]}", value_of(m[2])))
    page.take(_NAMED, _named)
    page.take(_DISCOUNT, _discount)


def _named(match: re.Match[str]) -> Found:
    least, numeral, currency, tenths = match.groups()
    for written in (least, numeral):
        value = value_of(written) if written else None
        if value is None:
            continue
        value = value / _PARTS.get(currency, 1)
        if tenths is not None:
            value += (value_of(tenths) or Decimal(0)) / 10
        yield from _amount("money", f"money:{_CURRENCY[currency]}", value)


def _discount(match: re.Match[str]) -> Found:
    """`85折` is `8.5折`: 85% of the price."""
    digits = "".join(
        str("零一二三四五六七八九".index(char)) if char in "一二三四五六七八九" else char for char in match[1]
    )
    value = value_of(digits)
    if value is not None:
        yield from _amount("number", "number:discount", value / 10 if value >= 10 else value)


def _amount(kind: str, shape: str, value: Decimal | None) -> Found:
    if value is not None:
        yield ("money" if kind == "money" else "number"), shape, [value]
