"""Facts of a reply against those of its reference: typed, exact, Chinese and English.

    compare("您的订单 20482 已发货。", "您的订单 20481 已发货。").conflicts
    # (Conflict(kind="identifier", wanted="20481", given="20482", ...),)

Numbers, amounts, dates, identifiers and polarity are compared by value, never
by similarity: `1万` is `10,000`, `¥199` is `199.00 RMB`, `3月5日` is `March 5`.
"""

from dialog.metrics.facts.compare import MAX_CHARS, Comparison, Conflict, compare, conflicts
from dialog.metrics.facts.extract import extract
from dialog.metrics.facts.fact import Fact

__all__ = ["MAX_CHARS", "Comparison", "Conflict", "Fact", "compare", "conflicts", "extract"]
