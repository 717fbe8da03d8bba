"""Opinion: news are read and judged, limits hold their rate, alarms are the same whole and in pieces."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from dialog import plugins
from dialog.errors import SkillError
from dialog.events import TextDelta
from dialog.skill import Tools
from dialog.testing import FixedTools, FixedTurn
from skills.opinion import Monitor, News, Opinion, Watch
from skills.opinion.dashboard import dashboard
from skills.opinion.digest import central, digest
from skills.opinion.hooks import Command, Webhook, deliver
from skills.opinion.limits import Baseline, share_surprise
from skills.opinion.monitor import Alarm, MonitorState
from skills.opinion.reading import day_of, read_news
from skills.opinion.replay import replay
from skills.opinion.sensing import Judged, Sense, by_words, judge_of
from skills.sentiment import SentimentSkill
from skills.sentiment.skill import TextSentiment

CASES = [json.loads(line) for line in Opinion.spec.cases.read_text(encoding="utf-8").splitlines()]
START = date(2026, 1, 1)
SENSE = Sense(companies={}, judge=by_words)


def news(day: int, number: int, *, bad: bool, company: str = "金湖科技") -> News:
    title = f"{company} 违规 {number}" if bad else f"{company} 中标 {number}"
    return News(
        title=title,
        day=START + timedelta(days=day),
        company=company,
        sentiment="negative" if bad else "positive",
        id=f"{day}-{number}-{bad}",
    )


def stream(counts: Sequence[int], *, good: int = 3) -> list[News]:
    return [
        one
        for day, count in enumerate(counts)
        for one in (
            *(news(day, number, bad=True) for number in range(count)),
            *(news(day, number, bad=False) for number in range(good)),
        )
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["input"]["title"] for case in CASES])
def test_case(case: dict[str, dict[str, object]]) -> None:
    (found,) = Opinion().work([News.model_validate(case["input"])], FixedTools())
    told = found.model_dump(mode="json")
    assert {name: told[name] for name in case["expect"]} == case["expect"]


@pytest.mark.parametrize(
    "text",
    [
        "2018-01-31",
        "2018年1月31日",
        "2018/1/31 08:00",
        "2018-01-31T08:00:00+08:00",
        "Wed, 31 Jan 2018 08:00:00 GMT",
    ],
)
def test_days_are_read_as_they_are_written(text: str) -> None:
    assert day_of(text) == date(2018, 1, 31)


def test_jsonl_csv_and_rss_give_the_same_news(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"title": "甲公司违规", "date": "2026-01-02", "id": "n1"}\n', encoding="utf-8"
    )
    (tmp_path / "a.csv").write_text("id,标题,日期\nn1,甲公司违规,2026年1月2日\n", encoding="utf-8")
    (tmp_path / "a.xml").write_text(
        "<rss><channel><item><title>甲公司违规</title><guid>n1</guid>"
        "<pubDate>Fri, 02 Jan 2026 08:00:00 GMT</pubDate></item></channel></rss>",
        encoding="utf-8",
    )
    found = [read_news(tmp_path / name)[0] for name in ("a.jsonl", "a.csv", "a.xml")]
    assert found[0] == found[1] == found[2]


def test_a_feed_with_entities_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "bait.xml"
    path.write_text('<!DOCTYPE x [<!ENTITY a "aaaa">]><rss><item><title>&a;</title></item></rss>')
    with pytest.raises(SkillError, match="entities"):
        read_news(path)


def test_lines_without_title_or_date_are_told(tmp_path: Path) -> None:
    path = tmp_path / "n.jsonl"
    path.write_text('{"title": "x", "date": "2026-01-02"}\n{"title": "y"}\nnonsense\n')
    read, skipped = read_news(path)
    assert len(read) == 1
    assert [line.split(": ")[0] for line in skipped] == ["n.jsonl, line 2", "n.jsonl, line 3"]


def test_the_company_named_first_in_the_title_counts() -> None:
    sense = Sense(companies={"乐视网": ("乐视",), "Acme": ()}, judge=by_words)
    found = sense.judged(
        [
            News(title="乐视与Acme签约合作", day=START),
            News(title="Acmeville opens", day=START, text="acme"),
        ]
    )
    assert [one.company for one in found] == ["乐视网", "Acme"]


def test_predictive_tails_equal_what_is_drawn() -> None:
    draw = np.random.default_rng(0)
    rates = draw.gamma(20.5, 1 / 40, size=400_000)
    drawn = draw.poisson(rates)
    baseline = Baseline(total=20, num_days=40)
    for count in (1, 2, 4):
        assert baseline.surprise(count) == pytest.approx((drawn >= count).mean(), abs=2e-3)
    shares = draw.beta(5.5, 15.5, size=400_000)
    drawn = draw.binomial(10, shares)
    assert share_surprise(6, 10, 5, 20) == pytest.approx((drawn >= 6).mean(), abs=2e-3)


def test_the_limit_is_the_first_count_that_surprises() -> None:
    baseline = Baseline.of([1, 2, 1] * 14, num_days=56)
    limit = baseline.limit(1e-3)
    assert baseline.surprise(limit) <= 1e-3 < baseline.surprise(limit - 1)


def test_quiet_streams_ring_no_more_often_than_stated() -> None:
    watch = Watch(false_alarms_per_year=10.0, by_topic=False)
    draw = np.random.default_rng(1)
    num_days, rung = 400, 0
    for _ in range(10):
        rung += len(replay(stream(draw.poisson(1.0, size=num_days).tolist()), SENSE, watch).alarms)
    expected = 10.0 * 10 * (num_days - watch.warm_up_days) / 365
    assert rung <= expected + 2 * expected**0.5


@pytest.mark.parametrize("company", ["金湖科技", "Acme"])
def test_a_planted_spike_rings_on_its_day(company: str) -> None:
    quiet = [0, 1, 0, 2, 1, 0, 1] * 10
    told = stream([*quiet, 9, 0, 0])
    renamed = [one.model_copy(update={"company": company}) for one in told]
    spikes = [
        alarm for alarm in replay(renamed, SENSE, Watch(by_topic=False)).alarms if alarm.check == "spike"
    ]
    assert [(alarm.company, alarm.day, alarm.count) for alarm in spikes] == [
        (company, START + timedelta(days=len(quiet)), 9)
    ]
    assert len(spikes[0].news) == 9


def test_a_shift_of_level_rings_once_and_becomes_usual() -> None:
    alarms = replay(stream([1, 0, 1, 1, 0, 1, 1] * 10 + [3] * 120), SENSE, Watch(by_topic=False)).alarms
    assert "level" in {alarm.check for alarm in alarms}
    assert all(alarm.day < START + timedelta(days=70 + 60) for alarm in alarms)


def test_a_change_of_tone_rings_although_counts_stay_low() -> None:
    before = [news(day, 0, bad=False) for day in range(80)]
    after = [news(day, 0, bad=True) for day in range(80, 90)]
    assert "tone" in {alarm.check for alarm in replay([*before, *after], SENSE, Watch()).alarms}


def test_in_pieces_is_as_whole() -> None:
    draw = np.random.default_rng(2)
    told = stream([*draw.poisson(0.7, size=90).tolist(), 8, 7, 0, 1, 0], good=1)
    whole = replay(told, SENSE, Watch())
    assert whole.alarms
    for cut in (1, 7, 100, len(told) - 3):
        first = replay(told[:cut], SENSE, Watch(), is_last=False)
        saved = MonitorState.model_validate_json(first.state.model_dump_json())
        second = replay(told[cut:], SENSE, Watch(), state=saved)
        assert first.alarms + second.alarms == whole.alarms
        assert second.state == whole.state


def test_what_is_left_out_is_counted() -> None:
    monitor = Monitor()
    pieces = [news(0, 1, bad=True), news(0, 1, bad=True), news(5, 2, bad=True), news(3, 3, bad=True)]
    judged = [*SENSE.judged(pieces), *SENSE.judged([News(title="x", day=START + timedelta(days=5))])]
    list(monitor.feed(judged))
    monitor.close()
    state = monitor.state()
    assert (state.num_news, state.num_repeated, state.num_late, state.num_without_company) == (5, 1, 1, 1)


def test_a_date_far_ahead_is_refused() -> None:
    far = Judged(
        news=news(9999, 0, bad=True), company="x", topic="other", sentiment="negative", confidence=1.0
    )
    with pytest.raises(SkillError, match="correct its date"):
        list(Monitor().feed([*SENSE.judged([news(0, 0, bad=True)]), far]))


def spike() -> Alarm:
    (alarm,) = [
        a for a in replay(stream([1] * 40 + [12]), SENSE, Watch(by_topic=False)).alarms if a.check == "spike"
    ]
    return alarm


def test_a_command_gets_the_alarm_and_its_failure_is_told(tmp_path: Path) -> None:
    kept = tmp_path / "alarm.json"
    copy = Command((sys.executable, "-c", f"import sys; open({str(kept)!r}, 'w').write(sys.stdin.read())"))
    broken = Command((sys.executable, "-c", "import sys; sys.exit('no desk')"))
    failures = deliver([spike()], [broken, Command(("no-such-program-here",)), copy])
    assert Alarm.model_validate_json(kept.read_text(encoding="utf-8")) == spike()
    assert "ended with 1: no desk" in failures[0]
    assert "FileNotFoundError" in failures[1]


def test_a_webhook_gets_the_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[httpx.Request] = []

    def post(url: str, **told: object) -> httpx.Response:
        request = httpx.Request("POST", url, content=told["content"])  # type: ignore[arg-type]
        sent.append(request)
        return httpx.Response(200 if len(sent) == 1 else 500, request=request)

    monkeypatch.setattr(httpx, "post", post)
    hook = Webhook("https://desk.example/alarms")
    assert deliver([spike()], [hook]) == []
    assert Alarm.model_validate_json(sent[0].content) == spike()
    assert "500" in deliver([spike()], [hook])[0]
    with pytest.raises(ValueError, match="https"):
        Webhook("file:///etc/passwd")


@pytest.mark.parametrize(("language", "heading"), [("en", "Public opinion"), ("zh", "舆情监测")])
def test_the_dashboard_stands_alone_and_escapes(language: str, heading: str) -> None:
    bait = '<script>alert("x")</script>'
    told = [
        one.model_copy(update={"company": bait, "title": f"{bait} {one.title}"})
        for one in stream([1] * 40 + [12])
    ]
    found = replay(told, SENSE, Watch())
    page = dashboard(
        found.state, found.alarms, digest(found.alarms, language=language), Watch(), language=language
    )
    assert heading in page
    assert "<svg" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_digest_takes_a_summariser_and_else_telling_titles() -> None:
    assert digest([spike()], language="zh")[0].text.startswith("金湖科技 违规")
    (entry,) = digest(
        [spike()], language="en", summarise=lambda titles, language: f"{language}: {len(titles)}"
    )
    assert entry.text == "en: 5"
    assert central(["亏损扩大 甲", "亏损扩大 乙", "天气晴"], num=1) == ("亏损扩大 甲",)


@pytest.mark.parametrize(
    ("asked", "told"), [("金湖科技有什么负面新闻？", "负面 12 条"), ("any bad news?", "12 of them negative")]
)
def test_a_conversation_asks_about_a_company(tmp_path: Path, asked: str, told: str) -> None:
    path = tmp_path / "news.jsonl"
    pieces = stream([0] * 40 + [12])
    path.write_text("".join(one.model_dump_json() + "\n" for one in pieces), encoding="utf-8")
    turn = FixedTurn(asked, tools=FixedTools(options={"opinion": {"news": str(path)}}))
    skill = Opinion()
    assert skill.matches(turn) > 0.5
    said = "".join(event.text for event in skill.run(turn) if isinstance(event, TextDelta))
    assert told in said
    assert skill.matches(FixedTurn(asked)) == 0.0


@pytest.mark.parametrize(
    "text",
    ["Do you sell a French press?", "Does the stove have an alarm?", "头灯有警报功能吗？", "有负面评价吗"],
)
def test_a_customers_question_is_not_about_the_news(text: str) -> None:
    turn = FixedTurn(text, tools=FixedTools(options={"opinion": {"news": "news.jsonl"}}))
    assert Opinion().matches(turn) == 0.0


class Gloomy:
    """Stands in for the skill `sentiment`."""

    spec = SentimentSkill.spec

    def work(self, items: Sequence[Any], tools: Tools) -> Iterator[TextSentiment]:
        for _ in items:
            yield TextSentiment(sentiment="negative", confidence=0.9)


@pytest.mark.parametrize("text", ["Acme wins a contract", "甲公司中标"])
def test_the_skill_sentiment_judges_where_it_has_a_model(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    loaded = plugins.Loaded(found={"sentiment": Gloomy}, broken=())
    monkeypatch.setattr(plugins, "load", lambda group, only=None: loaded)
    judge, note = judge_of(FixedTools(options={"sentiment": {"model": "reviews"}}))
    assert (judge([text]), note) == ([("negative", 0.9)], None)
    judge, note = judge_of(FixedTools())
    assert judge([text]) == [("positive", 0.5)]
    assert note is not None
    assert "may name a model" in note


def test_records_carry_the_alarms_of_the_days_they_end() -> None:
    told = list(Opinion().work(stream([1] * 40 + [12]), FixedTools()))
    assert len(told) == len(stream([1] * 40 + [12]))
    assert {alarm.check for alarm in told[-1].alarms} >= {"spike"}
