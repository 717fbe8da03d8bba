"""What the alarms are about, in a few lines: by the summariser that is given, else by telling titles.

digest(alarms, language="zh")                          # titles, nothing generated
digest(alarms, language="en", summarise=summarise)     # a function of the titles and the language
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from dialog.knowledge.segment import query_terms
from dialog.values import Language, Value
from skills.opinion.monitor import Alarm

Summarise = Callable[[Sequence[str], Language], str]


class Entry(Value):
    """A company's alarms between two days, and what they are about."""

    company: str
    first: str
    last: str
    num_alarms: int
    text: str
    titles: tuple[str, ...]


def digest(alarms: Sequence[Alarm], *, language: Language, summarise: Summarise | None = None) -> list[Entry]:
    """One entry a company, most alarms first; none without alarms."""
    grouped: dict[str, list[Alarm]] = {}
    for alarm in alarms:
        grouped.setdefault(alarm.company, []).append(alarm)
    entries = []
    for company, own in sorted(grouped.items(), key=lambda item: (-len(item[1]), item[0])):
        titles = tuple(dict.fromkeys(title for alarm in own for title in alarm.titles))
        best = central(titles, num=3)
        text = (
            summarise(titles, language)
            if summarise and titles
            else ("；" if language == "zh" else "; ").join(best)
        )
        entries.append(
            Entry(
                company=company,
                first=str(min(alarm.day for alarm in own)),
                last=str(max(alarm.day for alarm in own)),
                num_alarms=len(own),
                text=text,
                titles=best,
            )
        )
    return entries


def central(titles: Sequence[str], *, num: int) -> tuple[str, ...]:
    """The titles that share most of their terms with the others, no two saying nearly the same."""
    terms = [set(query_terms(title)) for title in titles]
    common = Counter(term for own in terms for term in own)
    weight = [sum(common[term] - 1 for term in own) / max(1, len(own)) for own in terms]
    chosen: list[int] = []
    for at in sorted(range(len(titles)), key=lambda at: (-weight[at], at)):
        if all(len(terms[at] & terms[one]) <= len(terms[at] | terms[one]) / 2 for one in chosen):
            chosen.append(at)
        if len(chosen) == num:
            break
    return tuple(titles[at] for at in chosen)
