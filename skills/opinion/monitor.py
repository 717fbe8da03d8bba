"""The monitor: news day by day into counts, counts against limits, alarms where they are broken.

    monitor = Monitor(Watch(false_alarms_per_year=0.5))
    for alarm in monitor.feed(judged): ...
    alarms = monitor.close()                  # the last day is over
    monitor.state().model_dump_json()         # goes on elsewhere, later: Monitor(watch, state)

A day is judged when news of a later day comes, or at `close`; so news fed in
pieces gives the alarms of the whole. Three checks a day and series share the
stated rate of false alarms: `spike` (negative news of the day), `level` (of a
week) and `tone` (share of the week's news that is negative). A day beyond its
limit enters the baseline as the limit, so that one storm does not hide the
next, and a level that stays becomes the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Literal

from pydantic import Field

from dialog.errors import SkillError
from dialog.knowledge.segment import query_terms
from dialog.values import Value
from skills.opinion.limits import Baseline, share_surprise
from skills.opinion.sensing import NEGATIVE, Judged

Check = Literal["spike", "level", "tone"]
_CHECKS = 3
_WEEK = 7
_NUM_EVIDENCE = 5
MAX_GAP_DAYS = 3660


class Watch(Value):
    """How it is watched.

    Attributes:
        false_alarms_per_year: expected of each series while nothing happens.
        baseline_days: how far back quiet is learned from.
        warm_up_days: no alarm before so many days were seen.
        by_topic: also watch each topic of each company.
    """

    false_alarms_per_year: float = Field(default=0.5, gt=0, le=100)
    baseline_days: int = Field(default=56, ge=14, le=3650)
    warm_up_days: int = Field(default=28, ge=14)
    by_topic: bool = True

    @property
    def chance(self) -> float:
        """Of a false alarm for one check of one series on one day."""
        return self.false_alarms_per_year / 365 / _CHECKS


class Alarm(Value):
    """A limit was broken; `chance` is that of so many on quiet days, `news` are ids of what was counted."""

    day: date
    company: str
    topic: str | None
    check: Check
    count: int
    expected: float
    limit: int | None
    chance: float
    titles: tuple[str, ...]
    news: tuple[str, ...]


class Day(Value):
    """A day of a series that had news; `tamed` are the negative as the baseline takes them."""

    day: date
    num: int
    negative: int
    tamed: int
    titles: tuple[str, ...] = ()
    news: tuple[str, ...] = ()


class Series(Value):
    """A company or a topic of it.

    Attributes:
        first: the stream's first day; since then days that are not in `days` had no news.
        ringing: the checks that were in alarm on the last day with negative news.
    """

    company: str
    topic: str | None = None
    first: date
    days: tuple[Day, ...] = ()
    ringing: tuple[Check, ...] = ()

    def between(self, start: date, end: date) -> list[Day]:
        """Days with news from `start` up to, not including, `end`."""
        found = []
        for one in reversed(self.days):
            if one.day < start:
                break
            if one.day < end:
                found.append(one)
        return found[::-1]


class MonitorState(Value):
    """Everything the monitor knows: what it needs to go on."""

    first: date | None = None
    today: date | None = None
    open_news: tuple[Judged, ...] = ()
    series: tuple[Series, ...] = ()
    num_news: int = 0
    num_repeated: int = 0
    num_late: int = 0
    num_without_company: int = 0


class Monitor:
    """Counts, compares, and rings once for each episode of a check in a series."""

    def __init__(self, watch: Watch | None = None, state: MonitorState | None = None) -> None:
        self.watch = watch or Watch()
        start = state or MonitorState()
        self._series = {(one.company, one.topic): one for one in start.series}
        self._open = list(start.open_news)
        self._rest = start.model_copy(update={"open_news": (), "series": ()})

    def state(self) -> MonitorState:
        """A value to save."""
        return self._rest.model_copy(
            update={
                "open_news": tuple(self._open),
                "series": tuple(self._series[key] for key in sorted(self._series, key=_order)),
            }
        )

    def feed(self, judged: Iterable[Judged]) -> Iterator[Alarm]:
        """Take news in order of day; yields the alarms of each day that is over. Late news are only counted.

        Raises:
            SkillError: a day lies so far ahead that its date is surely wrong.
        """
        for one in judged:
            today = self._rest.today
            self._count(num_news=1)
            if today is not None and one.news.day < today:
                self._count(num_late=1)
                continue
            if today is None:
                self._rest = self._rest.model_copy(update={"first": one.news.day, "today": one.news.day})
            elif one.news.day > today:
                if (one.news.day - today).days > MAX_GAP_DAYS:
                    raise SkillError(
                        f"news {one.news.id!r} is of {one.news.day}, years after {today}; correct its date"
                    )
                yield from self._advance(one.news.day)
            self._open.append(one)

    def close(self) -> list[Alarm]:
        """The last day is over; news of it that come later are late."""
        return [] if self._rest.today is None else list(self._advance(self._rest.today + timedelta(days=1)))

    def _advance(self, until: date) -> Iterator[Alarm]:
        """Close every day before `until`."""
        assert self._rest.today is not None, "a day was opened"
        today = self._rest.today
        while today < until:
            yield from self._close_day(today)
            today += timedelta(days=1)
        self._rest = self._rest.model_copy(update={"today": until})

    def _close_day(self, day: date) -> Iterator[Alarm]:
        grouped: dict[tuple[str, str | None], list[Judged]] = {}
        for one in self._distinct():
            if one.company is None:
                self._count(num_without_company=1)
                continue
            grouped.setdefault((one.company, None), []).append(one)
            if self.watch.by_topic:
                grouped.setdefault((one.company, one.topic), []).append(one)
        self._open = []
        assert self._rest.first is not None, "a day was opened"
        for key in sorted(grouped, key=_order):
            new = Series(company=key[0], topic=key[1], first=self._rest.first)
            self._series[key], alarms = judged_day(self._series.get(key, new), day, grouped[key], self.watch)
            yield from alarms

    def _distinct(self) -> list[Judged]:
        """The open day's stories: news of a company that tells one of them again is left out and counted."""
        found: list[Judged] = []
        told: dict[str | None, list[set[str]]] = {}
        for one in self._open:
            terms = set(query_terms(one.news.title))
            if any(_is_retold(terms, other) for other in told.get(one.company, ())):
                self._count(num_repeated=1)
            else:
                found.append(one)
                told.setdefault(one.company, []).append(terms)
        return found

    def _count(self, **more: int) -> None:
        self._rest = self._rest.model_copy(
            update={name: getattr(self._rest, name) + num for name, num in more.items()}
        )


def judged_day(series: Series, day: date, news: Sequence[Judged], watch: Watch) -> tuple[Series, list[Alarm]]:
    """The series with one more day, and the alarms that day begins.

    Only a day with negative news can begin one; a check that kept ringing within the week is silent.
    """
    negative = [one for one in news if one.sentiment == NEGATIVE]
    baseline = baseline_before(series, day, watch)
    limit = baseline.limit(watch.chance) if baseline else None
    today = Day(
        day=day,
        num=len(news),
        negative=len(negative),
        tamed=len(negative) if limit is None else min(len(negative), limit),
        titles=tuple(one.news.title for one in negative[:_NUM_EVIDENCE]),
        news=tuple(one.news.id for one in negative),
    )
    longer = series.model_copy(update={"days": (*series.days, today)})
    if baseline is None or limit is None or not negative:
        return longer, []
    found: list[Alarm] = []
    if len(negative) >= limit:
        chance = baseline.surprise(len(negative))
        found.append(_alarm(series, "spike", (today,), baseline.expected(), limit, chance))
    found += _of_week(longer, day, watch)
    last = next((one.day for one in reversed(series.days) if one.negative), None)
    still = series.ringing if last is not None and (day - last).days <= _WEEK else ()
    ringing: tuple[Check, ...] = tuple(alarm.check for alarm in found)
    return longer.model_copy(update={"ringing": ringing}), [one for one in found if one.check not in still]


def baseline_before(series: Series, day: date, watch: Watch) -> Baseline | None:
    """What was usual before a day; None while the stream is too young to tell."""
    num_days = min(watch.baseline_days, (day - series.first).days)
    if num_days < watch.warm_up_days:
        return None
    before = series.between(day - timedelta(days=num_days), day)
    return Baseline.of([one.tamed for one in before], num_days=num_days)


def _of_week(series: Series, day: date, watch: Watch) -> list[Alarm]:
    """The checks of the week that ends with `day`, against what was before the week."""
    start = day - timedelta(days=_WEEK - 1)
    baseline = baseline_before(series, start, watch)
    if baseline is None:
        return []
    week = series.between(start, day + timedelta(days=1))
    earlier = series.between(start - timedelta(days=baseline.num_days), start)
    count, num = sum(one.negative for one in week), sum(one.num for one in week)
    found = []
    chance = baseline.surprise(count, num_days=_WEEK)
    if chance <= watch.chance:
        limit = baseline.limit(watch.chance, num_days=_WEEK)
        found.append(_alarm(series, "level", week, baseline.expected(_WEEK), limit, chance))
    before, num_before = sum(one.negative for one in earlier), sum(one.num for one in earlier)
    chance = share_surprise(count, num, before, num_before)
    if chance <= watch.chance:
        expected = num * (before + 0.5) / (num_before + 1)
        found.append(_alarm(series, "tone", week, expected, None, chance))
    return found


def _alarm(
    series: Series, check: Check, days: Sequence[Day], expected: float, limit: int | None, chance: float
) -> Alarm:
    return Alarm(
        day=days[-1].day,
        company=series.company,
        topic=series.topic,
        check=check,
        count=sum(one.negative for one in days),
        expected=round(expected, 3),
        limit=limit,
        chance=chance,
        titles=tuple(title for one in reversed(days) for title in one.titles)[:_NUM_EVIDENCE],
        news=tuple(name for one in days for name in one.news),
    )


def _is_retold(terms: set[str], others: set[str]) -> bool:
    """Half of the terms of two titles are the same, and all of their figures."""
    figures = {term for term in terms ^ others if any(c.isdigit() for c in term)}
    return not figures and len(terms & others) >= len(terms | others) / 2


def _order(key: tuple[str, str | None]) -> tuple[str, str]:
    return key[0], key[1] or ""
