"""What a piece of news is about and how it is meant: company, topic, sentiment.

    sense = Sense(companies={"乐视网": ("乐视",)}, judge=judge)
    sense.judged(news)

The judge is a function from texts to (label, confidence); `judge_of` takes the
skill `sentiment` where that has a model. Without one, a short list of words of the
news decides, and says so with a confidence of one half: on zh_finnews_sentiment's training
part it tells negative news better than the rules of `sentiment` do (.875, .826).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from dialog import plugins
from dialog.skill import Tools, Worker
from dialog.text import is_han, normalise
from dialog.values import Value
from skills.opinion.reading import News

Judge = Callable[[Sequence[str]], Sequence[tuple[str, float]]]
NEGATIVE = "negative"
OTHER = "other"
_BY_WORDS = "a short list of words judged the news; [skills.options.sentiment] may name a model"
_JUDGED_CHARS = 80
"""Of the text so much goes to the judge after the title; figures and boilerplate follow."""
_BAD = re.compile(
    r"\b(?:loss(?:es)?|fined|fraud|defaults?|lawsuit|sued|probe|falls?|fell|plunge[sd]?|slump|warns?|recall|"
    r"bankruptcy|layoffs|cuts?|miss(?:es|ed)?|downgrade[sd]?|scandal)\b"
    r"|亏损|处罚|违规|立案|跌停|大跌|下跌|暴跌|减持|违约|退市|诉讼|起诉|冻结|预亏|预减|下滑|下降|风险|问询|造假|破产|警示|终止|爆雷|逾期|召回|投诉|维权|裁员",
    re.I,
)
_GOOD = re.compile(
    r"\b(?:profits?|beats?|record|rises?|rose|surge[sd]?|gains?|wins?|won|upgrade[sd]?|approv(?:al|ed|es)|growth|"
    r"dividend|buyback|expands?)\b"
    r"|增长|盈利|预增|涨停|大涨|上涨|增持|回购|中标|签约|合作|获批|创新高|扭亏|分红|突破|翻番|提升|利好",
    re.I,
)


class Judged(Value):
    """A piece of news with what was found: `company` is None where none of the known is named."""

    news: News
    company: str | None
    topic: str
    sentiment: str
    confidence: float


class Sense:
    """Judges news.

    Args:
        companies: names to look for where the news does not say, each with its other names.
        judge: for news without a sentiment of its own.
    """

    def __init__(self, *, companies: Mapping[str, Sequence[str]], judge: Judge) -> None:
        self._companies = {name: (name, *others) for name, others in companies.items()}
        self._judge = judge

    def judged(self, news: Sequence[News]) -> list[Judged]:
        """Each piece, in order; the judge is asked once, for all that need it."""
        open_news = [one for one in news if one.sentiment is None]
        told = iter(
            self._judge([f"{one.title}。{one.text[:_JUDGED_CHARS]}" for one in open_news])
            if open_news
            else ()
        )
        found = []
        for one in news:
            sentiment, confidence = next(told) if one.sentiment is None else (one.sentiment, 1.0)
            found.append(
                Judged(
                    news=one,
                    company=one.company or self._company(one),
                    topic=one.topic or topic_of(one.title, one.text),
                    sentiment=sentiment,
                    confidence=confidence,
                )
            )
        return found

    def _company(self, news: News) -> str | None:
        """The company named first in the title, else in the text."""
        for text in (news.title, news.text):
            places = [
                (place, name)
                for name, names in self._companies.items()
                for known in names
                if (place := _place_of(known, text)) >= 0
            ]
            if places:
                return min(places)[1]
        return None


def topic_of(title: str, text: str) -> str:
    """The topic named by a word of the title, else of the text; `other` where none is."""
    for where in (title, text):
        low = normalise(where)
        for topic, pattern in _patterns().items():
            if pattern.search(low):
                return topic
    return OTHER


@cache
def topics() -> dict[str, tuple[str, ...]]:
    """The words of each topic, in the order they are tried."""
    return {name: tuple(one["words"]) for name, one in _told().items()}


def topic_title(topic: str, language: str) -> str:
    """What to call a topic; one of the file's own is called as it is."""
    return str(_told().get(topic, {}).get(f"title_{language}", topic))


def by_words(texts: Sequence[str]) -> list[tuple[str, float]]:
    """More bad than good words, or the other way round; confidence one half."""
    found = []
    for text in texts:
        bad, good = len(_BAD.findall(text)), len(_GOOD.findall(text))
        found.append((NEGATIVE if bad > good else "positive" if good > bad else "neutral", 0.5))
    return found


def judge_of(tools: Tools) -> tuple[Judge, str | None]:
    """The skill `sentiment` as a judge where it has a model; otherwise `by_words`, and a note that it is."""
    if not tools.options("sentiment"):
        return by_words, _BY_WORDS
    found = plugins.load("instructrec.skills", only="sentiment").found.get("sentiment")
    skill: Any = found() if isinstance(found, type) else found
    record = getattr(getattr(skill, "spec", None), "input", None)
    if not isinstance(skill, Worker) or record is None:
        return by_words, f"the skill `sentiment` is not installed: {_BY_WORDS}"

    def judge(texts: Sequence[str]) -> list[tuple[str, float]]:
        told: Any = skill.work([record(text=text) for text in texts], tools)
        return [(str(one.sentiment), float(one.confidence)) for one in told]

    return judge, None


@cache
def _told() -> dict[str, Any]:
    text = (files("skills") / "opinion" / "topics.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["topics"])


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    edged = {
        topic: [word if is_han(word[0]) else rf"\b{re.escape(word)}\b" for word in words]
        for topic, words in topics().items()
    }
    return {topic: re.compile("|".join(words)) for topic, words in edged.items() if words}


def _place_of(name: str, text: str) -> int:
    if is_han(name[:1]) or not name[:1].isalnum():
        return text.find(name)
    found = re.search(rf"\b{re.escape(name)}\b", text, re.I)
    return found.start() if found else -1
