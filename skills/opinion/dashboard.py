"""The dashboard: one HTML file that needs nothing else, no script and no network; all words are escaped.

write_dashboard(Path("opinion.html"), state, alarms, entries, watch, language="zh", notes=notes)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from html import escape
from pathlib import Path

from corpora.files import replacing
from dialog.values import Language
from skills.opinion.digest import Entry
from skills.opinion.monitor import Alarm, MonitorState, Series, Watch
from skills.opinion.plots import chart
from skills.opinion.sensing import topic_title, topics

NUM_COMPANIES = 12
_NUM_ALARMS = 20
_NUM_ENTRIES = 10
_STYLE = """
:root{--ink:#1c2330;--soft:#667085;--line:#e4e7ec;--bad:#c8372d;--all:#cfd6e0;--limit:#2f6f8f}
body{margin:0 auto;max-width:980px;padding:28px 20px 60px;color:var(--ink);background:#fff;
font:15px/1.5 system-ui,"Noto Sans SC","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:34px 0 8px}h3{font-size:15px;margin:20px 0 2px}
p{margin:4px 0}.soft{color:var(--soft);font-size:13px}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:5px 8px;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft)}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td:first-child{white-space:nowrap}
svg{width:100%;height:auto;display:block}svg text{font-size:11px;fill:var(--soft)}svg .end{text-anchor:end}
.all{fill:var(--all)}.bad{fill:var(--bad)}.alarm{fill:var(--bad)}.axis{stroke:var(--line)}
.limit{fill:none;stroke:var(--limit);stroke-width:1.4;stroke-dasharray:4 3}
.key i{display:inline-block;width:10px;height:10px;margin:0 5px 0 14px}
@media print{body{max-width:none}}
"""
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Public opinion",
        "counted": "{num} news, {first} to {last}; {companies} companies. Left out: {repeated} told "
        "again the same day, {nameless} that name no known company, {late} after their day was closed.",
        "rate": "While nothing happens and news come one by one, not in bursts, at most {rate:g} false "
        "alarms a year are expected of each company "
        "and topic watched ({series} now, so up to {sum:.1f} a year in all).",
        "alarms": "Alarms",
        "none": "No limit was broken.",
        "more": "The {shown} latest of {num}.",
        "digest": "What it is about",
        "trends": "Trends",
        "topics": "By topic",
        "key": "all news|negative|limit for negative|alarm",
        "head": "day|company|topic|check|negative|expected|limit|chance|titles",
        "topic_head": "topic|news|negative|share",
        "spike": "spike of a day",
        "level": "level of a week",
        "tone": "tone of a week",
        "companies": "The {shown} of {num} companies with the most alarms and negative news.",
        "notes": "Notes",
    },
    "zh": {
        "title": "舆情监测",
        "counted": "{first} 至 {last}，共 {num} 条新闻，涉及 {companies} 家公司。"
        "未计入：当日重复 {repeated} 条，未提及已知公司 {nameless} 条，"
        "当日结束后才到 {late} 条。",
        "rate": "平静时期且新闻并非成批出现时，每个监测的公司或主题每年误报预计不超过 {rate:g} 次"
        "（目前 {series} 个序列，合计每年至多 {sum:.1f} 次）。",
        "alarms": "警报",
        "none": "没有超出控制限。",
        "more": "共 {num} 条，显示最近 {shown} 条。",
        "digest": "摘要",
        "trends": "趋势",
        "topics": "按主题",
        "key": "全部新闻|负面|负面控制限|警报",
        "head": "日期|公司|主题|检验|负面|预期|上限|概率|标题",
        "topic_head": "主题|新闻|负面|占比",
        "spike": "单日突增",
        "level": "一周水平",
        "tone": "一周倾向",
        "companies": "共 {num} 家公司，显示警报与负面新闻最多的 {shown} 家。",
        "notes": "说明",
    },
}


def write_dashboard(
    path: Path,
    state: MonitorState,
    alarms: Sequence[Alarm],
    entries: Sequence[Entry],
    watch: Watch,
    *,
    language: Language,
    notes: Sequence[str] = (),
) -> None:
    """Write the file, whole or not at all; English unless `language` is zh."""
    page = dashboard(state, alarms, entries, watch, language=language, notes=notes)
    with replacing(path) as file:
        file.write(page.encode("utf-8"))


def dashboard(
    state: MonitorState,
    alarms: Sequence[Alarm],
    entries: Sequence[Entry],
    watch: Watch,
    *,
    language: Language,
    notes: Sequence[str] = (),
) -> str:
    """The page."""
    said, own = _WORDS["zh" if language == "zh" else "en"], "zh" if language == "zh" else "en"
    whole = [one for one in state.series if one.topic is None]
    last = max((one.days[-1].day for one in whole), default=date.min)
    counted = said["counted"].format(
        num=state.num_news,
        first=state.first,
        last=last,
        companies=len(whole),
        repeated=state.num_repeated,
        nameless=state.num_without_company,
        late=state.num_late,
    )
    series = len(state.series)
    rate = said["rate"].format(
        rate=watch.false_alarms_per_year, series=series, sum=series * watch.false_alarms_per_year
    )
    body = [
        f"<h1>{said['title']}</h1><p>{escape(counted)}</p><p class=soft>{escape(rate)}</p>",
        f"<h2>{said['alarms']}</h2>{_alarm_table(alarms, said, own)}",
        f"<h2>{said['digest']}</h2>{''.join(_entry(one) for one in entries[:_NUM_ENTRIES])}"
        if entries
        else "",
        f"<h2>{said['trends']}</h2>{_key(said)}{_charts(whole, alarms, said, last, watch)}",
        f"<h2>{said['topics']}</h2>{_topic_table(state.series, said, own)}",
        f"<h2>{said['notes']}</h2>{''.join(f'<p>{escape(one)}</p>' for one in notes)}" if notes else "",
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html><html lang="{own}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><title>{said["title"]}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _alarm_table(alarms: Sequence[Alarm], said: dict[str, str], language: str) -> str:
    if not alarms:
        return f"<p>{said['none']}</p>"
    latest = sorted(alarms, key=lambda one: (one.day, one.company, one.topic or "", one.check))[
        -_NUM_ALARMS:
    ][::-1]
    rows = []
    for one in latest:
        topic = topic_title(one.topic, language) if one.topic else "–"
        limit = "–" if one.limit is None else str(one.limit)
        numbers = (str(one.count), f"{one.expected:.2f}", limit, f"{one.chance:.1g}")
        cells = [str(one.day), one.company, topic, said[one.check]]
        plain = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        counted = "".join(f"<td class=num>{cell}</td>" for cell in numbers)
        rows.append(
            f"<tr>{plain}{counted}<td>{'<br>'.join(escape(title) for title in one.titles[:2])}</td></tr>"
        )
    more = said["more"].format(shown=len(latest), num=len(alarms)) if len(alarms) > len(latest) else ""
    return f"{_table(said['head'], rows, numbers=range(4, 8))}<p class=soft>{more}</p>"


def _entry(entry: Entry) -> str:
    days = entry.first if entry.first == entry.last else f"{entry.first} – {entry.last}"
    return f"<h3>{escape(entry.company)} <span class=soft>{days}</span></h3><p>{escape(entry.text)}</p>"


def _charts(
    whole: Sequence[Series], alarms: Sequence[Alarm], said: dict[str, str], last: date, watch: Watch
) -> str:
    ringing = Counter(alarm.company for alarm in alarms)
    order = sorted(
        whole, key=lambda one: (-ringing[one.company], -sum(day.negative for day in one.days), one.company)
    )
    shown = order[:NUM_COMPANIES]
    parts = [
        f"<h3>{escape(one.company)}</h3>"
        + chart(
            one,
            [alarm for alarm in alarms if alarm.company == one.company and alarm.topic is None],
            last,
            watch,
        )
        for one in shown
    ]
    told = said["companies"].format(shown=len(shown), num=len(whole)) if len(shown) < len(whole) else ""
    return f"<p class=soft>{told}</p>{''.join(parts)}"


def _topic_table(series: Sequence[Series], said: dict[str, str], language: str) -> str:
    news: Counter[str] = Counter()
    negative: Counter[str] = Counter()
    for one in series:
        if one.topic is not None:
            news[one.topic] += sum(day.num for day in one.days)
            negative[one.topic] += sum(day.negative for day in one.days)
    known = [topic for topic in (*topics(), *sorted(set(news) - set(topics()))) if news[topic]]
    rows = [
        f"<tr><td>{escape(topic_title(topic, language))}</td><td class=num>{news[topic]}</td>"
        f"<td class=num>{negative[topic]}</td><td class=num>{negative[topic] / news[topic]:.0%}</td></tr>"
        for topic in known
    ]
    return _table(said["topic_head"], rows, numbers=range(1, 4)) if rows else "–"


def _key(said: dict[str, str]) -> str:
    names = said["key"].split("|")
    colours = ("var(--all)", "var(--bad)", "var(--limit)", "var(--bad)")
    marks = ("■", "■", "┄", "▼")
    shown = (
        f'<span style="color:{colour}">{mark}</span> {name} &nbsp; '
        for name, colour, mark in zip(names, colours, marks, strict=True)
    )
    return f"<p class=soft>{''.join(shown)}</p>"


def _table(head: str, rows: Sequence[str], *, numbers: range) -> str:
    cells = (
        f"<th{' class=num' if at in numbers else ''}>{name}</th>" for at, name in enumerate(head.split("|"))
    )
    return f"<table><tr>{''.join(cells)}</tr>{''.join(rows)}</table>"
