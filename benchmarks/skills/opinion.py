"""Opinion: how often quiet streams ring, how soon a planted storm is seen, and a real stream.

    python -m benchmarks.skills.opinion

Quiet: series of days drawn from one rate of negative news (Poisson, and one with twice its
variance), two years each; the alarms a year and series, with an exact Poisson interval (95 %),
beside the stated rate. Storms: from day 200 on the rate is multiplied, for one day or for a
fortnight; detected is an alarm of any check within the storm and the week after, delay is counted
from its first day. Seeds are stated in the values. Real: zh_finnews_sentiment, training part, with
its own labels and with those of the judge that is installed.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from benchmarks import DATA, markdown, save
from dialog.testing import FixedTools
from skills.opinion.monitor import Alarm, Series, Watch, judged_day
from skills.opinion.reading import News, read_news
from skills.opinion.replay import replay, sense_of
from skills.opinion.sensing import Judged

_SEED = 0
_NUM_SERIES = 40
_NUM_DAYS = 730
_RATES = (0.05, 0.3, 1.0, 3.0)
_STORM_DAY = 200
_NUM_STORMS = 40
_START = date(2024, 1, 1)
_GOOD = 1.0
"""News a day that is not negative."""


def alarms_of(negative: Sequence[int], good: Sequence[int], watch: Watch) -> list[Alarm]:
    """A series of counts through the very checks that news go through."""
    series, found = Series(company="x", first=_START), []
    for number, (bad, fine) in enumerate(zip(negative, good, strict=True)):
        day = _START + timedelta(days=number)
        news = [_judged(day, "negative")] * bad + [_judged(day, "positive")] * fine
        series, new = judged_day(series, day, news, watch)
        found += new
    return found


def _judged(day: date, sentiment: str) -> Judged:
    news = News(title="t", day=day)
    return Judged(news=news, company="x", topic="other", sentiment=sentiment, confidence=1.0)


def quiet(watch: Watch, values: dict[str, object]) -> list[tuple[object, ...]]:
    """Alarms a year and series for each rate."""
    rows = []
    years = _NUM_SERIES * (_NUM_DAYS - watch.warm_up_days) / 365
    for rate, dispersion in [*((rate, 1.0) for rate in _RATES), (1.0, 2.0)]:
        draw = np.random.default_rng(_SEED)
        found: Counter[str] = Counter()
        for _ in range(_NUM_SERIES):
            if dispersion > 1:
                negative = draw.negative_binomial(rate / (dispersion - 1), 1 / dispersion, size=_NUM_DAYS)
            else:
                negative = draw.poisson(rate, size=_NUM_DAYS)
            good = draw.poisson(_GOOD, size=_NUM_DAYS)
            found.update(alarm.check for alarm in alarms_of(negative.tolist(), good.tolist(), watch))
        total = sum(found.values())
        low, high = poisson_interval(total)
        by_check = ", ".join(f"{check} {found[check]}" for check in ("spike", "level", "tone"))
        name = f"{rate:g} a day" + (", twice the variance" if dispersion > 1 else "")
        told = f"{total / years:.2f} [{low / years:.2f}, {high / years:.2f}]"
        rows.append(("quiet", name, f"stated {watch.false_alarms_per_year:g}", told, by_check))
        values[f"quiet {name}"] = {"series_years": years, "alarms": total, "by_check": dict(found)}
    return rows


def storms(watch: Watch, values: dict[str, object]) -> list[tuple[object, ...]]:
    """Share detected and median delay for each size."""
    rows = []
    for length, factors in ((1, (5, 10)), (14, (2, 3, 5))):
        for rate in _RATES[1:]:
            for factor in factors:
                draw = np.random.default_rng(_SEED + 1)
                delays = []
                for _ in range(_NUM_STORMS):
                    rates = np.full(_STORM_DAY + length + 7, rate)
                    rates[_STORM_DAY : _STORM_DAY + length] *= factor
                    negative, good = draw.poisson(rates), draw.poisson(_GOOD, size=len(rates))
                    begun = _START + timedelta(days=_STORM_DAY)
                    found = alarms_of(negative.tolist(), good.tolist(), watch)
                    seen = [(alarm.day - begun).days for alarm in found if alarm.day >= begun]
                    delays += [min(seen)] if seen else []
                median = f"{statistics.median(delays):g} days" if delays else "n/a"
                name = f"{rate:g} a day times {factor}, {length} day{'s' if length > 1 else ''}"
                share = len(delays) / _NUM_STORMS
                rows.append(
                    ("storm", name, f"{_NUM_STORMS} series", f"seen {share:.0%}", f"median delay {median}")
                )
                values[f"storm {name}"] = {"seen": share, "delays": delays}
    return rows


def real(values: dict[str, object]) -> list[tuple[object, ...]]:
    """The news stream with companies and dates, by its labels and by the judge."""
    path = DATA / "zh_finnews_sentiment" / "train.tsv.gz"
    if not path.is_file():
        return []
    news, skipped = read_news(path)
    rows = []
    sense, notes = sense_of({}, FixedTools())
    for name, pieces in (
        ("its labels", news),
        ("judged", [one.model_copy(update={"sentiment": None}) for one in news]),
    ):
        before = time.process_time()
        told = replay(pieces, sense, Watch())
        seconds = time.process_time() - before
        companies = {one.company for one in told.state.series}
        about = f"{len(news)} news, {len(companies)} companies, {len(skipped)} skipped, {seconds:.0f} s"
        loudest = Counter(alarm.company for alarm in told.alarms).most_common(3)
        shown = ", ".join(f"{company} {num}" for company, num in loudest)
        rows.append(("zh_finnews_sentiment", name, about, f"{len(told.alarms)} alarms", shown))
        values[f"real, {name}"] = {"alarms": len(told.alarms), "news": len(news), "process_s": seconds}
    judged = sense.judged([one.model_copy(update={"sentiment": None}) for one in news])
    right = sum(
        (a.sentiment == "negative") == (b.sentiment == "negative") for a, b in zip(judged, news, strict=True)
    )
    values["real, judge"] = {"negative or not, accuracy": right / len(news), "notes": notes}
    rows.append(
        (
            "zh_finnews_sentiment",
            "judge, negative or not",
            f"{len(news)} news",
            f"accuracy {right / len(news):.3f}",
            "; ".join(notes),
        )
    )
    return rows


def poisson_interval(count: int) -> tuple[float, float]:
    """Exact 95 % interval of a Poisson mean (Garwood 1936), by bisection."""

    def tail(mean: float, most: int) -> float:
        return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(most + 1))

    def solved(most: int, chance: float) -> float:
        low, high = 1e-9, 10.0 + 4 * (most + 1)
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if tail(middle, most) > chance else (low, middle)
        return low

    return (solved(count - 1, 0.975) if count else 0.0), solved(count, 0.025)


def main() -> int:
    watch = Watch()
    values: dict[str, object] = {"seed": _SEED, "watch": watch.model_dump()}
    rows = [*quiet(watch, values), *storms(watch, values), *real(values)]
    save("skills-opinion", values, table=markdown(("what", "series", "of", "found", "more"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
