"""The skill: news with company, topic, sentiment and alarms; and what is new, asked in a conversation.

[skills.options.opinion]
news = "news.jsonl"                      # what a conversation may ask about
companies = ["乐视网|乐视", "Acme|Acme Corp"]  # names, and other names, to look for
false_alarms_per_year = 0.5              # of each company and topic
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from dialog.errors import SkillError
from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.values import Language, Value
from skills.opinion.digest import central, digest
from skills.opinion.monitor import Alarm, Monitor, Series
from skills.opinion.reading import News, read_news
from skills.opinion.replay import Replayed, replay, sense_of, watch_of

_ASKS = re.compile(
    r"\b(?:public opinion|(?:in|by) the press|press (?:coverage|reports?)|headlines|media coverage|"
    r"(?:bad|negative|latest) news|(?:any|what|which|latest|new|recent) alarms?)\b"
    r"|舆情|负面(?:新闻|消息|报道)|媒体报道|(?:哪些|什么|最近的?|最新的?|新)警报|有(?:没有)?警报(?!功能|声|器|灯)",
    re.I,
)
_SURE = 0.85
_AT_ONCE = 64
_DAYS = 30


class Watched(Value):
    """What a piece of news is about, how it is meant, and the alarms that rang when its day began.

    The alarms of the last day, which nothing follows, are with the last piece.
    """

    id: str
    company: str | None
    topic: str
    sentiment: str
    confidence: float
    alarms: tuple[Alarm, ...] = ()


class Opinion:
    """Watches what is written about companies."""

    spec = SkillSpec(
        name="opinion",
        description="watch news for companies: topic, sentiment, alarms",
        input=News,
        output=Watched,
        cases=Path(__file__).with_name("cases.jsonl"),
        titles={"en": "what the news say", "zh": "舆情新闻"},
    )

    def __init__(self) -> None:
        self._replayed: dict[tuple[str, int, str], Replayed] = {}

    def matches(self, turn: SkillTurn) -> float:
        return _SURE if "news" in turn.tools.options("opinion") and _ASKS.search(turn.text) else 0.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        """The alarms and the last month of the companies named, or of all. Raises SkillError."""
        told = self._news_of(turn.tools)
        whole = [one for one in told.state.series if one.topic is None]
        named = [one for one in whole if one.company in turn.text] or whole
        alarms = [alarm for alarm in told.alarms if any(alarm.company == one.company for one in named)]
        language: Language = "zh" if turn.language == "zh" else "en"
        turn.note_intent("opinion", _SURE)
        yield from turn.say("\n".join(_lines(named, alarms, language)), mode="template")

    def work(self, items: Sequence[News], tools: Tools) -> Iterator[Watched]:
        """One record a piece, in the order given, which must be that of the days. Raises SkillError."""
        options = tools.options("opinion")
        sense, _ = sense_of(options, tools)
        monitor = Monitor(watch_of(options))
        held: Watched | None = None
        for start in range(0, len(items), _AT_ONCE):
            for judged in sense.judged(items[start : start + _AT_ONCE]):
                if held is not None:
                    yield held
                held = Watched(
                    id=judged.news.id,
                    company=judged.company,
                    topic=judged.topic,
                    sentiment=judged.sentiment,
                    confidence=judged.confidence,
                    alarms=tuple(monitor.feed([judged])),
                )
        if held is not None:
            yield held.model_copy(update={"alarms": (*held.alarms, *monitor.close())})

    def _news_of(self, tools: Tools) -> Replayed:
        """The configured file replayed, once for each of its versions."""
        options = tools.options("opinion")
        if "news" not in options:
            raise SkillError('opinion knows no news; set [skills.options.opinion] news = "FILE"')
        path = Path(str(options["news"]))
        try:
            changed = path.stat().st_mtime_ns
        except OSError as error:
            raise SkillError(f"{path} cannot be read: {error.strerror}") from error
        key = (str(path), changed, repr(sorted(options.items())))
        if key not in self._replayed:
            news, _ = read_news(path)
            sense, _ = sense_of(options, tools)
            self._replayed = {key: replay(news, sense, watch_of(options))}
        return self._replayed[key]


def _lines(named: Sequence[Series], alarms: Sequence[Alarm], language: Language) -> Iterator[str]:
    """The last month's counts, most negative first, then what the alarms are about."""
    last = max((one.days[-1].day for one in named), default=date.min)
    first = last - timedelta(days=_DAYS - 1)
    recent = [(one, one.between(first, last + timedelta(days=1))) for one in named]
    counted = sorted(
        ((sum(d.negative for d in days), sum(d.num for d in days), one, days) for one, days in recent),
        key=lambda row: (-row[0], -row[1], row[2].company),
    )
    for negative, num, one, days in counted[:5]:
        titles = central([title for day in days for title in day.titles], num=1)
        if language == "zh":
            line = f"{one.company}：{first} 至 {last} 共 {num} 条新闻，负面 {negative} 条。"
        else:
            line = f"{one.company}: {num} news from {first} to {last}, {negative} of them negative."
        yield line + (f" “{titles[0]}”" if titles else "")
    if not alarms:
        yield "没有超出控制限的情况。" if language == "zh" else "No limit was broken."
    for entry in digest(alarms, language=language)[:3]:
        if language == "zh":
            yield f"警报 {entry.num_alarms} 次（{entry.first} 至 {entry.last}）{entry.company}：{entry.text}"
        else:
            yield f"{entry.num_alarms} alarms ({entry.first} to {entry.last}), {entry.company}: {entry.text}"
