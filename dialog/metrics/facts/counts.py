"""What is left of a page's numbers: durations, measures, counts.

Durations are in seconds up to weeks and in months above, so `24小时` is one day
and `两周` is 14 days. An indefinite "one" (`一个客服`, `one of us`) states nothing,
and neither does an ordinal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from dialog.claims import content_terms
from dialog.metrics.facts.fact import Fact
from dialog.metrics.facts.folding import Page
from dialog.metrics.facts.numerals import NUMERAL, value_of

_UNITS: Mapping[str, tuple[str, str]] = {
    "workdays": ("1", r"个?工作[日天]|(?:business|working|work)[ -]?days?"),
    "duration:week": (
        "604800",
        r"个?(?:星期|礼拜)(?![一二三四五六日天])|周(?!年)|weeks?|wks?",
    ),
    "duration:day": ("86400", r"个?自然[日天]|整?天|日(?![元本])|(?:calendar |full |natural |whole )?days?"),
    "duration:hour": ("3600", r"个?小时|个?钟头|hours?|hrs?|h"),
    "duration:minute": ("60", r"分钟|minutes?|mins?"),
    "duration:second": ("1", r"秒钟?|seconds?|secs?"),
    "months:month": ("1", r"个?月|months?"),
    "months:quarter": ("3", r"个?季度|quarters?"),
    "months:year": ("12", r"周?年|years?|yrs?"),
    "weight:kg": ("1000", r"公斤|千克|kg|kilos?|kilograms?"),
    "weight:jin": ("500", r"斤"),
    "weight:g": ("1", r"克|g|grams?"),
    "length:km": ("1000", r"公里|千米|km|kilomet(?:er|re)s?"),
    "length:cm": ("0.01", r"厘米|cm|centimet(?:er|re)s?"),
    "length:mm": ("0.001", r"毫米|mm"),
    "length:m": ("1", r"米|m|met(?:er|re)s?"),
    "inches": ("1", r"英寸|寸|inch(?:es)?"),
    "data:tb": ("1048576", r"tb"),
    "data:gb": ("1024", r"gb?"),
    "data:mb": ("1", r"mb"),
    "volume:ml": ("1", r"毫升|ml"),
    "volume:l": ("1000", r"升(?!级)|l|lit(?:er|re)s?"),
    "times": ("1", r"次|回(?!复|答)|times?"),
    "persons": ("1", r"[位名人]|people|persons?|guests?|adults?"),
    "nights": ("1", r"晚(?!上)|nights?"),
    "stars": ("1", r"颗?星(?=级|酒|好|评|\W|$)|stars?|-star"),
    "points": ("1", r"个?积分|points?"),
    "fold": ("1", r"倍"),
    "floor": ("1", r"[楼层]"),
}
_UNIT = re.compile(
    r"[ -]?(?:"
    + "|".join(f"(?P<u{i}>{pattern})" for i, (_, pattern) in enumerate(_UNITS.values()))
    + r")(?![a-z])"
)
_KEYS = list(_UNITS)
_CLASSIFIER = re.compile(
    r" ?(?:[个件台部双条张份家款套只箱瓶本间把辆页项种枚支片盒袋桶步笔批单棵首座门](?!体))"
)
_NOUN = re.compile(r" ?的?(?:([a-z]{2,24})|([\u4e00-\u9fff]{1,2}))")
_HALF_UNIT = re.compile(r"个?半(?=个?小时|天|年|个?月)")
_TRAILING_HALF = re.compile(r"半(?!年|天|小时|价)")
_RANGE = re.compile(rf" ?(?:-|~|to|and|or|至|到|或) ?(?=({NUMERAL}))")
_NUMBER = re.compile(rf"(?<![0-9.]){NUMERAL}|半(?=个?小时|天|年|个月|个季度)|half an? (?=hour|day|year)")
_ORDINAL = re.compile(
    rf"第 ?{NUMERAL}|\d{{1,9}}(?:st|nd|rd|th)(?![a-z])"
    r"|(?:^|(?<=\n)) {0,8}\d{1,2}[.)、](?=\s)|[(（]\d{1,2}[)）]"
)
_IDIOM = re.compile(
    r"千万(?=[别不要记勿注]|请)|十分(?!钟)|百分百|万一|一百分|十足|百货|百度|(?<=[a-z])-\d{1,2}(?!\d)"
)
_UNIT_CHARS = 24


def read_counts(page: Page) -> None:
    """Add the numbers of a page from which everything more special is taken."""
    page.drop(_IDIOM)
    page.drop(_ORDINAL)
    read_to = 0
    for match in _NUMBER.finditer(page.text):
        value = Decimal("0.5") if match.group().startswith(("半", "half")) else value_of(match.group())
        if value is not None and match.start() >= read_to:
            read_to = _add(page, match, value)


def _add(page: Page, match: re.Match[str], value: Decimal) -> int:
    """Where what belongs to the number ends, not counting the rest of a range."""
    text, end = page.text, match.end()
    if half := _HALF_UNIT.match(text, end):
        value, end = value + Decimal("0.5"), half.end()
    shape, factor, unit_end = _unit(text, end)
    if half := _TRAILING_HALF.match(text, unit_end) if shape.startswith(("duration", "months")) else None:
        value, unit_end, end = value + Decimal("0.5"), half.end(), half.end()
    noun, is_counted = ("", True) if shape else _noun(text, end)
    if not shape and not _states(match.group(), value, is_counted=is_counted):
        return end
    stop = unit_end if _RANGE.match(text, end) is None else end
    start, stop = page.span(match.start(), stop)
    page.facts.append(Fact("number", f"number:{shape}", frozenset([value * factor]), start, stop, noun))
    return end


def _unit(text: str, end: int) -> tuple[str, Decimal, int]:
    """The unit after a number, also after the rest of a range: (dimension, factor, its end)."""
    rest = _RANGE.match(text, end)
    for position in (end, rest.end(1)) if rest else (end,):
        if found := _UNIT.match(text, position, position + _UNIT_CHARS):
            assert found.lastgroup is not None
            key = _KEYS[int(found.lastgroup[1:])]
            return key.partition(":")[0], Decimal(_UNITS[key][0]), found.end()
    return "", Decimal(1), end


def _noun(text: str, end: int) -> tuple[str, bool]:
    """What is counted, as far as the next word says, and whether a Chinese classifier stands between."""
    classifier = _CLASSIFIER.match(text, end)
    found = _NOUN.match(text, classifier.end() if classifier else end)
    if found is None:
        return (classifier.group().strip() if classifier else ""), classifier is not None
    word = "".join(content_terms(found[1])) if found[1] else found[2]
    return word, classifier is not None


def _states(numeral: str, value: Decimal, *, is_counted: bool) -> bool:
    """Whether a number without a unit is one: digits always, words and 汉字 only where they count."""
    if numeral[0].isascii() and numeral[0].isdigit():
        return True
    if value <= 1:
        return False
    return is_counted or (len(numeral) > 1 and "点" not in numeral)
