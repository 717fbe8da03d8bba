"""All facts of a text, in order.

[fact.shape for fact in extract("订单 KH-20481 已于3月5日退款199元")]
# ["identifier", "date:day", "money:cny"]
"""

from __future__ import annotations

import datetime

from dialog.metrics.facts.amounts import read_amounts
from dialog.metrics.facts.counts import read_counts
from dialog.metrics.facts.dates import read_dates
from dialog.metrics.facts.fact import Fact
from dialog.metrics.facts.folding import Page
from dialog.metrics.facts.identifiers import read_addresses, read_identifiers
from dialog.metrics.facts.times import read_times


def extract(text: str, *, today: datetime.date | None = None) -> tuple[Fact, ...]:
    """Facts by position; each stretch of text belongs to the first rule that reads it.

    Args:
        today: the day `tomorrow` is relative to; without it relative days are
            comparable with each other only.
    """
    page = Page(text)
    read_addresses(page)
    read_dates(page, today=today)
    read_times(page)
    read_identifiers(page)
    read_amounts(page)
    read_counts(page)
    return tuple(sorted(page.facts, key=lambda fact: (fact.start, fact.end)))
