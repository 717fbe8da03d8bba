"""Times as exports write them; what is ambiguous (3/4/2024) stays unread.

parse_time("2024年5月1日 10:03")       # datetime(2024, 5, 1, 10, 3)
parse_time(1714557780)                  # in UTC
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_YEAR_FIRST = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[\sT,，]+(上午|下午|晚上|AM|PM)?\s*(\d{1,2})[:：时点](\d{2})(?:[:：分](\d{2})秒?)?(?:\.\d+)?\s*(AM|PM)?)?",
    re.IGNORECASE,
)
_MAX_CHARS = 60


def parse_time(value: object) -> datetime | None:
    """A time, or None where there is none that could not be another."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return _epoch(value)
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_CHARS:
        return None
    text = value.strip()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    found = _YEAR_FIRST.fullmatch(text)
    if found is None:
        return None
    year, month, day, before, hour, minute, second, after = found.groups()
    try:
        return datetime(
            int(year), int(month), int(day), _hour(hour, before or after), int(minute or 0), int(second or 0)
        )
    except ValueError:
        return None


def _hour(hour: str | None, half: str | None) -> int:
    number = int(hour or 0)
    if half and half.upper() in ("PM", "下午", "晚上") and number < 12:
        return number + 12
    return 0 if half and half.upper() in ("AM", "上午") and number == 12 else number


def _epoch(value: float) -> datetime | None:
    """Seconds, or milliseconds where seconds would lie beyond the year 5000."""
    try:
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    except (OverflowError, ValueError, OSError):
        return None
