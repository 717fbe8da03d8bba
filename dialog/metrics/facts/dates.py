"""Dates, weekdays and relative days: `3月5日`, `March 5, 2024`, `05/03/2024`, `周一`, `tomorrow`.

A date is (year, month, day) with None for what is not said; `05/03` is both
readings. A relative day becomes a date where `today` is known, and is compared
as a distance otherwise.
"""

from __future__ import annotations

import datetime
import re
from functools import partial

from dialog.metrics.facts.fact import Calendar
from dialog.metrics.facts.folding import Found, Page
from dialog.metrics.facts.numerals import value_of

_N = r"(?:(?<!\d)\d{1,2}(?!\d)|[一二三四五六七八九十]{1,3})"
_YEAR = r"(?:(?<!\d)(?:19|20)\d{2}|[一二][零〇九][零〇一二三四五六七八九]{2})"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?<![a-z])(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])\.?"
)
_DAY = r"(?<!\d)\d{1,2}(?![\d:]|\s?[ap]\.?m)(?:st|nd|rd|th)?"
_CHINESE = re.compile(
    rf"(?:({_YEAR})\s?年\s?)?({_N})\s?月份?(?:\s?({_N})\s?(?:[日号]|(?![月年天个]))(?:\s?[至到~-]\s?({_N})\s?[日号])?)?(?![个半内])"
)
_CHINESE_YEAR = re.compile(rf"({_YEAR})\s?年(?:度|份)?")
_CHINESE_DAY = re.compile(rf"(?:本月|当月|每月|[上下]个?月)的?\s?({_N})\s?[日号]")
_ISO = re.compile(r"(?<!\d)((?:19|20)\d{2})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2((?:19|20)\d{2})(?!\d)")
_SHORT = re.compile(
    r"(?<![\d/])(?:(?<=on )|(?<=by )|(?<=before )|(?<=until )|(?<=since )|(?<=from )|(?<=[于在至到自])|(?=0))"
    r"(\d{1,2})/(\d{1,2})(?![\d/])"
)
_ALWAYS = re.compile(r"(?<!\d)(?:24\s?[/x*×]\s?7|7\s?[/x*×]\s?24)(?!\d)(?:小时)?")
_MONTH_DAY = re.compile(
    rf"({_MONTH})\s?({_DAY})(?:\s?(?:-|to)\s?({_DAY}))?(?:,?\s?((?:19|20)\d{{2}})(?!\d))?"
)
_DAY_MONTH = re.compile(rf"({_DAY})\s?(?:of\s)?({_MONTH})(?:,?\s?((?:19|20)\d{{2}})(?!\d))?")
_MONTH_YEAR = re.compile(rf"({_MONTH}),?\s((?:19|20)\d{{2}})(?!\d)")
_MONTH_ONLY = re.compile(rf"(?<=(?:\bin|\bby|\bof) )({_MONTH})|(?<=(?:until|since) )({_MONTH})")
_YEAR_ONLY = re.compile(r"(?:(?<=\bin )|(?<=\bby )|(?<=since )|(?<=until ))((?:19|20)\d{2})(?![\d,.])")
_DAY_ONLY = re.compile(
    r"(?<=the )(\d{1,2})(?:st|nd|rd|th)(?= of (?:this|next|each|every|the) month|[.,!;]|$)"
)
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEKDAY = re.compile(
    r"(?:(?<![a-z])(this|next|last) )?"
    rf"(?<![a-z])({'|'.join(_WEEKDAYS)})s?(?![a-z])"
    r"|(?:(本|这|上|下)个?)?(?<![一二两三四五六七八九十\d每几])(?:周|星期|礼拜)([一二三四五六日天])(?![次个件回年周])"
)
_WEEKS = {"this": 0, "本": 0, "这": 0, "next": 1, "下": 1, "last": -1, "上": -1}
_DISTANCES = {
    "day before yesterday": -2,
    "day after tomorrow": 2,
    "yesterday": -1,
    "tomorrow": 1,
    "tonight": 0,
    "today": 0,
    "大后天": 3,
    "后天": 2,
    "明天": 1,
    "明日": 1,
    "明晚": 1,
    "明早": 1,
    "今天": 0,
    "今日": 0,
    "今晚": 0,
    "昨天": -1,
    "昨日": -1,
    "昨晚": -1,
    "前天": -2,
}
_RELATIVE = re.compile("|".join(rf"(?<![a-z]){word}(?![a-z])" for word in _DISTANCES))
_PERIOD = re.compile(
    r"(?<![a-z])(this|next|last) (week|month|year)(?![a-z'])"
    r"|(本|这|上|下)个?(周|星期|月)|(今|明|去)(年)(?!龄)"
)
_PERIODS = {
    "week": "week",
    "周": "week",
    "星期": "week",
    "month": "month",
    "月": "month",
    "year": "year",
    "年": "year",
}
_DIRECTIONS = _WEEKS | {"今": 0, "明": 1, "去": -1}


def read_dates(page: Page, *, today: datetime.date | None = None) -> None:
    """Take the dates of a page, the most explicit notations first."""
    page.drop(_ALWAYS)
    page.take(_ISO, lambda m: _dates((int(m[1]), int(m[3]), int(m[4]))))
    page.take(
        _NUMERIC, lambda m: _dates((int(m[4]), int(m[1]), int(m[3])), (int(m[4]), int(m[3]), int(m[1])))
    )
    page.take(_SHORT, lambda m: _dates((None, int(m[1]), int(m[2])), (None, int(m[2]), int(m[1]))))
    page.take(_CHINESE, lambda m: _with_range(m[1], m[2], m[3], m[4]))
    page.take(_CHINESE_YEAR, lambda m: _dates((_year(m[1]), None, None)))
    page.take(_CHINESE_DAY, lambda m: _dates((None, None, _number(m[1]))))
    page.take(_MONTH_DAY, lambda m: _with_range(m[4], m[1], m[2], m[3]))
    page.take(_DAY_MONTH, lambda m: _with_range(m[3], m[2], m[1], None))
    page.take(_MONTH_YEAR, lambda m: _dates((int(m[2]), _number(m[1]), None)))
    page.take(_MONTH_ONLY, lambda m: _dates((None, _number(m[1] or m[2]), None)))
    page.take(_YEAR_ONLY, lambda m: _dates((int(m[1]), None, None)))
    page.take(_DAY_ONLY, lambda m: _dates((None, None, int(m[1]))))
    page.take(_WEEKDAY, _weekday)
    page.take(_RELATIVE, partial(_relative, today=today))
    page.take(_PERIOD, _period)


def _dates(*readings: tuple[int | None, int | None, int | None]) -> Found:
    """One date in any of its readings that the calendar has; nothing if it has none."""
    if possible := [reading for reading in readings if _exists(*reading)]:
        yield "date", "date:day", possible


def _either(year: int | None, first: int, second: int) -> Found:
    """Month and day in whichever order."""
    yield from _dates((year, first, second), (year, second, first))


def _with_range(year: str | None, month: str, first: str | None, last: str | None) -> Found:
    for day in (first, last) if last else (first,):
        yield from _dates((_year(year), _number(month), _number(day)))


def _weekday(match: re.Match[str]) -> Found:
    which, english, chinese_which, chinese = match.groups()
    number = _WEEKDAYS.index(english) if english else min(6, "一二三四五六日天".index(chinese))
    weekday: Calendar = (_WEEKS.get(which or chinese_which or ""), number)
    # "next Monday" and "Monday" may be one day; only a stated weekday or week can differ.
    yield "date", "date:weekday", [weekday]


def _relative(match: re.Match[str], *, today: datetime.date | None) -> Found:
    distance = _DISTANCES[match.group()]
    if today is None:
        yield "date", "date:distance", [(distance,)]
    else:
        day = today + datetime.timedelta(days=distance)
        yield from _dates((day.year, day.month, day.day))


def _period(match: re.Match[str]) -> Found:
    direction, period = [group for group in match.groups() if group]
    yield "date", f"date:{_PERIODS.get(period, period)}", [(_DIRECTIONS[direction],)]


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if text[:3] in _MONTHS:
        return _MONTHS.index(text[:3]) + 1
    value = value_of(re.sub(r"(?:st|nd|rd|th)$", "", text))
    return -1 if value is None else int(value)


def _year(text: str | None) -> int | None:
    if text is None:
        return None
    return int(
        "".join(
            str("〇一二三四五六七八九".find(char.replace("零", "〇"))) if not char.isdigit() else char
            for char in text
        )
    )


def _exists(year: int | None, month: int | None, day: int | None) -> bool:
    try:
        datetime.date(
            2000 if year is None else year, 1 if month is None else month, 1 if day is None else day
        )
    except ValueError:
        return False
    return True
