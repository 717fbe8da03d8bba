"""Times of day: `14:30`, `2:30 pm`, `下午两点半`, `9点`, `noon`; minutes since midnight.

Without "am" or 下午 a time up to 12 o'clock has two readings.
"""

from __future__ import annotations

import re

from dialog.metrics.facts.folding import Found, Page
from dialog.metrics.facts.numerals import value_of

_N = r"(?:(?<![\d.])\d{1,2}(?!\d)|[一二两三四五六七八九十]{1,3})"
_HALF = "凌晨|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|夜里|晚|早"
_HALVES = r"([ap])\.?m(?![a-z])\.?"
_AFTERNOON = ("下午", "傍晚", "晚上", "夜里", "晚", "p", "中午")
_CLOCK = re.compile(
    rf"(?:({_HALF})\s?)?(?<![\d:.])([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?(?![\d:])(?:\s?{_HALVES})?"
)
_HOUR = re.compile(rf"(?<![\d:.])(\d{{1,2}})(?:\s?-\s?(\d{{1,2}}))?\s?{_HALVES}")
_OCLOCK = re.compile(r"(?<![\d:.])(\d{1,2})\s?o'clock")
_CHINESE = re.compile(
    rf"(?:({_HALF})\s?)?(?<!第)(?<!共)(?<!以下)({_N})\s?[点时](?!半?[建要原说内注优]|[零〇一二三四五六七八九]\b)"
    rf"(?:({_N})\s?分|(半)|([一三])刻|(钟|整))?"
)
_NAMED = re.compile(r"(?<![a-z])(?:noon|midday|midnight)(?![a-z])|正午|午夜")


def read_times(page: Page) -> None:
    """Take the times of a page."""
    page.take(_CLOCK, lambda m: _time(int(m[2]), int(m[3]), m[1] or m[4]))
    page.take(_HOUR, _hours)
    page.take(_OCLOCK, lambda m: _time(int(m[1]), 0, None))
    page.take(_CHINESE, _chinese)
    page.take(_NAMED, lambda m: _at(0 if m.group() in ("midnight", "午夜") else 720))


def _hours(match: re.Match[str]) -> Found:
    for hour in (match[2], match[1]):
        if hour:
            yield from _time(int(hour), 0, match[3])


def _chinese(match: re.Match[str]) -> Found:
    half_of_day, hour, minute, half, quarter, whole = match.groups()
    if not hour.isdigit() and not (half_of_day or minute or half or quarter or whole):
        return  # 一点 is also "a little"
    quarters = {"一": 15, "三": 45}.get(quarter, 0)
    yield from _time(_int(hour), 30 if half else _int(minute) if minute else quarters, half_of_day)


def _time(hour: int, minute: int, half_of_day: str | None) -> Found:
    if hour > 24 or minute > 59:
        return
    if half_of_day is None and hour <= 12:
        yield from _at(hour * 60 + minute, hour % 12 * 60 + minute, (hour % 12 + 12) * 60 + minute)
    elif hour <= 12 and half_of_day in _AFTERNOON:
        # Eleven at noon is before it.
        late = hour % 12 + 12 if not (half_of_day == "中午" and hour == 11) else hour
        yield from _at(late * 60 + minute)
    else:
        yield from _at((hour % 12 if hour <= 12 else hour) * 60 + minute)


def _at(*minutes: int) -> Found:
    yield "date", "date:time", [(minute % 1440,) for minute in minutes]


def _int(text: str) -> int:
    value = value_of(text)
    return 99 if value is None else int(value)
