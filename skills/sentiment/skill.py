"""The skill `sentiment`: praise or blame of a text and of what it is about, with the words that say so.

Configured in `[skills.options.sentiment]`: `model`, a folder of `instructrec tune-labels`, or
`by = "model"` to ask the language model. With neither, a lexicon and rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from dialog.errors import SkillError
from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.text import detect_language
from dialog.values import Language, Value
from skills.sentiment.clauses import clauses
from skills.sentiment.judging import ChoosingJudge, Judge, Sentiment, TrainedJudge
from skills.sentiment.lexicon import Lexicon, load_lexicon
from skills.sentiment.rules import RuleJudge

_HERE = Path(__file__).parent
_BLANK: Mapping[Language, str] = {"en": "N/A", "zh": "无"}


class Text(Value):
    """A text, and what in it is asked about.

    Attributes:
        aspects: words to look for; other words for the same thing behind a `|`: `price|cost|价格`.
    """

    text: str = Field(min_length=1)
    aspects: tuple[str, ...] = ()


class Evidence(Value):
    """The clause that says so, and its half-open span in the text."""

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class AspectSentiment(Value):
    """How one aspect fares; `sentiment` is None where the text does not mention it."""

    aspect: str
    sentiment: Sentiment | None
    confidence: float = Field(ge=0, le=1)
    evidence: Evidence | None = None


class TextSentiment(Value):
    """How the text as a whole is meant; neutral has no evidence."""

    sentiment: Sentiment
    confidence: float = Field(ge=0, le=1)
    evidence: Evidence | None = None
    aspects: tuple[AspectSentiment, ...] = ()


class SentimentSkill:
    """Tells praise from blame."""

    spec = SkillSpec(
        name="sentiment",
        description="tell praise from blame, of a text and its aspects, with the words that say so",
        input=Text,
        output=TextSentiment,
        cases=_HERE / "cases.jsonl",
        titles={"en": "praise or blame in a text", "zh": "判断褒贬"},
    )

    def __init__(self) -> None:
        self._opened: tuple[Tools, object, Judge] | None = None

    def matches(self, turn: SkillTurn) -> float:
        """Never by itself: it answers nothing."""
        return 0.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        """Say how the message is meant, and by which words."""
        (found,) = self.work([Text(text=turn.text)], turn.tools)
        quoted = f"「{found.evidence.text}」" if found.evidence else ""
        yield from turn.say(f"{found.sentiment} ({found.confidence:.2f}) {quoted}".strip())

    def work(self, items: Sequence[Text], tools: Tools) -> Iterator[TextSentiment]:
        """Raises SkillError, ModelError."""
        judge = self._judge(tools)
        for item in items:
            yield judged(item, judge)

    def _judge(self, tools: Tools) -> Judge:
        options = dict(tools.options("sentiment"))
        if self._opened is None or self._opened[0] is not tools or self._opened[1] != options:
            self._opened = (tools, options, _open(options, tools))
        return self._opened[2]


def judged(item: Text, judge: Judge) -> TextSentiment:
    """The document, then each aspect by the clauses that mention it."""
    spans = clauses(item.text, load_lexicon(detect_language(item.text)))
    (whole,) = judge([item.text])
    sentiment, confidence = _surest(whole)
    return TextSentiment(
        sentiment=sentiment,
        confidence=confidence,
        evidence=_evidence(item.text, spans, sentiment, judge),
        aspects=tuple(_aspect(aspect, item.text, spans, judge) for aspect in item.aspects),
    )


def _aspect(aspect: str, text: str, spans: Sequence[tuple[int, int]], judge: Judge) -> AspectSentiment:
    """By the clauses that mention it; where they say nothing, with those that go on without a "but"."""
    lexicon = load_lexicon(detect_language(text))
    names = [name.strip().lower() for name in aspect.split("|") if name.strip()]
    at = [i for i, (start, end) in enumerate(spans) if any(name in text[start:end].lower() for name in names)]
    if not at:
        return AspectSentiment(aspect=aspect, sentiment=None, confidence=0.0)
    for reach in (1, 2):
        about = _going_on(text, spans, at, lexicon) if reach == 2 else at
        (found,) = judge(["，".join(text[slice(*spans[i])] for i in about)])
        sentiment, confidence = _surest(found)
        if sentiment != "neutral":
            break
    evidence = _evidence(text, [spans[i] for i in about], sentiment, judge)
    return AspectSentiment(aspect=aspect, sentiment=sentiment, confidence=confidence, evidence=evidence)


def _going_on(text: str, spans: Sequence[tuple[int, int]], at: Sequence[int], lexicon: Lexicon) -> list[int]:
    """Those clauses, and each one's next unless it begins with a word of contrast."""
    more = [i + 1 for i in at if i + 1 < len(spans)]
    goes_on = [i for i in more if all(one.kind != "contrast" for one in lexicon.find(text[slice(*spans[i])]))]
    return sorted({*at, *goes_on})


def _evidence(
    text: str, spans: Sequence[tuple[int, int]], sentiment: Sentiment, judge: Judge
) -> Evidence | None:
    """The clause that says it most surely; none for neutral."""
    if sentiment == "neutral" or not spans:
        return None
    found = judge([text[start:end] for start, end in spans])
    (start, end), _ = max(zip(spans, found, strict=True), key=lambda pair: pair[1].get(sentiment, 0.0))
    return Evidence(text=text[start:end], start=start, end=end)


def _surest(found: Mapping[Sentiment, float]) -> tuple[Sentiment, float]:
    return max(found.items(), key=lambda pair: pair[1])


def _open(options: Mapping[str, object], tools: Tools) -> Judge:
    if unknown := sorted(options.keys() - {"model", "by"}):
        raise SkillError(f"skills.options.sentiment has no {unknown[0]!r}; it takes `model` and `by`")
    if "model" in options:
        if not isinstance(options["model"], str):
            raise SkillError(f"skills.options.sentiment.model is {options['model']!r}, not a path")
        return TrainedJudge.load(Path(options["model"]))
    match options.get("by", "rules"):
        case "rules":
            return RuleJudge()
        case "model":
            return _by_language_model(tools)
        case other:
            raise SkillError(f'skills.options.sentiment.by is {other!r}; it is "rules" or "model"')


def _by_language_model(tools: Tools) -> Judge:
    from skills.choosing import Chooser, Wording
    from skills.wordings import load

    wordings = load("sentiment")
    model = tools.model
    languages: tuple[Language, ...] = ("en", "zh")
    return ChoosingJudge(
        {
            language: Chooser(
                model,
                Wording(
                    ask=wordings.texts("judge", language)[0],
                    blank=_BLANK[language],
                    before=" " if language == "en" else "",
                    joint=", " if language == "en" else "、",
                ),
            )
            for language in languages
        }
    )
