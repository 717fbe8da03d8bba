"""Dates in a message, relative ones too: `明天`, `下周五`, `3月5日`, `next Friday`, `in two weeks`, `5 May`.

Weeks begin on Monday: `next Friday` and `下周五` are the Friday of the week
after this one, `Friday` alone is the nearest to come. A date without its year
or month has several candidates, the nearest first, and a slot's range decides;
`3/5` names two dates, and unless the range decides, nobody can.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from dialog.values import Value
from skills.support.reading.numerals import NUMERAL, whole


class FoundDate(Value):
    """One mention. `candidates` are in order of likelihood, or equally likely where `is_ambiguous`."""

    candidates: tuple[date, ...]
    start: int
    end: int
    is_ambiguous: bool = False


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
_NAMED = {
    **{"大前天": -3, "前天": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "今晚": 0},
    **{"明天": 1, "明日": 1, "明早": 1, "明晚": 1, "后天": 2, "大后天": 3},
    **{"day before yesterday": -2, "yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1},
    "day after tomorrow": 2,
}
_WORD = "|".join(sorted(_NAMED, key=len, reverse=True))

Reader = Callable[[re.Match[str], date], Sequence[date]]


def dates(text: str, *, today: date) -> list[FoundDate]:
    """The dates mentioned in NFKC text, in order; longer mentions win over those inside them."""
    text = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    found: list[FoundDate] = []
    for pattern, reader in _READERS:
        for match in pattern.finditer(text):
            if any(match.start() < one.end and one.start < match.end() for one in found):
                continue
            candidates = tuple(dict.fromkeys(reader(match, today)))
            if candidates:
                ambiguous = reader is _slashed and len(candidates) > 1
                found.append(
                    FoundDate(
                        candidates=candidates, start=match.start(), end=match.end(), is_ambiguous=ambiguous
                    )
                )
    return sorted(found, key=lambda one: one.start)


def _complete(match: re.Match[str], today: date) -> Sequence[date]:
    return _days(int(match["y"]), _number(match["m"]), _number(match["d"]))


def _month_day(match: re.Match[str], today: date) -> Sequence[date]:
    month = _number(match["m"]) if match["m"][0] not in "jfmasond" else _MONTHS.index(match["m"][:3]) + 1
    if match.groupdict().get("y"):
        return _days(int(match["y"]), month, _number(match["d"]))
    years = (today.year - 1, today.year, today.year + 1)
    return _nearest((day for year in years for day in _days(year, month, _number(match["d"]))), today)


def _slashed(match: re.Match[str], today: date) -> Sequence[date]:
    one, two = int(match["a"]), int(match["b"])
    years = (int(match["y"]),) if match["y"] else (today.year - 1, today.year, today.year + 1)
    readings = []
    for month, day in ((one, two), (two, one)):
        readings += _nearest((found for year in years for found in _days(year, month, day)), today)[:1]
    return readings


def _of_month(match: re.Match[str], today: date) -> Sequence[date]:
    months = [(today.year * 12 + today.month - 1 + step) for step in (-1, 0, 1)]
    day = _number(match["d"])
    return _nearest((found for at in months for found in _days(at // 12, at % 12 + 1, day)), today)


def _named(match: re.Match[str], today: date) -> Sequence[date]:
    return (today + timedelta(days=_NAMED[match["w"]]),)


def _counted(match: re.Match[str], today: date) -> Sequence[date]:
    count = whole(match["n"])
    if count is None or count > 5000:
        return ()
    unit = 7 if match["u"][0] in "w周星礼" else 1
    back = (match.groupdict().get("way") or "in") in ("ago", "前", "之前", "以前")
    return (today + timedelta(days=(-count if back else count) * unit),)


def _weekday(match: re.Match[str], today: date) -> Sequence[date]:
    day = _WEEKDAYS.index(match["d"][:3]) if match["d"][0].isascii() else "一二三四五六日天".index(match["d"])
    monday, day = today - timedelta(days=today.weekday()), min(day, 6)
    which = (match["which"] or "").strip()
    weeks = {"next": 1, "下": 1, "下下": 2, "last": -1, "上": -1, "上上": -2, "这": 0, "本": 0, "this": 0}
    if which in weeks:
        return (monday + timedelta(days=day + 7 * weeks[which]),)
    ahead = (day - today.weekday()) % 7
    return (today + timedelta(days=ahead), today + timedelta(days=ahead - 7))


def _number(text: str) -> int:
    return whole(text) or 0


def _days(year: int, month: int, day: int) -> Sequence[date]:
    """The date, or none where the calendar has none."""
    try:
        return (date(year, month, day),)
    except ValueError:
        return ()


def _nearest(days: Iterator[date], today: date) -> list[date]:
    return sorted(days, key=lambda day: (abs((day - today).days), day < today))


_ZH_DAY = r"(?P<d>\d{1,2}|[一二三]?十?[一二三四五六七八九]|[二三]?十)"
_ZH_MONTH = r"(?P<m>\d{1,2}|十?[一二三四五六七八九]|十)"
_TH = r"(?:st|nd|rd|th)"
_READERS: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(pattern), reader)
    for pattern, reader in (
        (rf"(?P<y>\d{{4}})\s?年\s?{_ZH_MONTH}\s?月\s?{_ZH_DAY}\s?[日号]?", _complete),
        (r"(?<![\d-])(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?![\d-])", _complete),
        (
            rf"\b(?P<m>{_MONTH})\s?(?P<d>\d{{1,2}})(?!\d){_TH}?(?:,?\s(?P<y>\d{{4}})\b)?",
            _month_day,
        ),
        (
            rf"\b(?P<d>\d{{1,2}}){_TH}?\s(?:of\s)?(?P<m>{_MONTH})\b(?:,?\s(?P<y>\d{{4}})\b)?",
            _month_day,
        ),
        (rf"{_ZH_MONTH}\s?月\s?{_ZH_DAY}\s?[日号]?", _month_day),
        (r"(?<![\d/.-])(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<y>\d{4}))?(?![\d/])", _slashed),
        (rf"(?P<w>{_WORD})", _named),
        (rf"\bin\s(?P<n>{NUMERAL})\s(?P<u>days?|weeks?)\b", _counted),
        (rf"\b(?P<n>{NUMERAL})\s(?P<u>days?|weeks?)\s(?P<way>ago)\b", _counted),
        (
            rf"(?P<n>{NUMERAL})\s?(?P<u>天|日|周|个星期|星期|个礼拜)(?P<way>之前|以前|前|之后|以后|后)",
            _counted,
        ),
        (rf"\b(?:(?P<which>next|this|last)\s)?(?P<d>{_WEEKDAY})\b", _weekday),
        (r"(?P<which>下下|下|这|本|上上|上)?个?(?:周|星期|礼拜)(?P<d>[一二三四五六日天])", _weekday),
        (rf"\bthe\s(?P<d>\d{{1,2}}){_TH}\b", _of_month),
        (rf"(?<![月\d]){_ZH_DAY}\s?[号]", _of_month),
    )
)
