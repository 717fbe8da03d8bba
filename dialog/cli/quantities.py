"""Ages and sizes as people write them.

age("90d"), size("500M")
"""

from __future__ import annotations

import re
from datetime import timedelta

import typer

SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
MAX_AGE_S = 100 * 366 * 86_400


def age(text: str) -> timedelta:
    """`30m`, `12h`, `90d`, `4w`, at most a century. Raises typer.BadParameter."""
    match = re.fullmatch(r"([0-9]{1,9})([mhdw])", text.strip())
    seconds = int(match[1]) * SECONDS[match[2]] if match else -1
    if not 0 <= seconds <= MAX_AGE_S:
        raise typer.BadParameter(
            f"{text!r} is no age; write minutes, hours, days or weeks: 30m, 12h, 90d, 4w"
        )
    return timedelta(seconds=seconds)


def size(text: str) -> int:
    """Bytes: `1000`, `500M`, `2G`, decimal. Raises typer.BadParameter."""
    match = re.fullmatch(r"([0-9]{1,15})([KMGT]?)B?", text.strip().upper())
    if not match:
        raise typer.BadParameter(f"{text!r} is no size; write bytes: 1000000, 500M, 2G")
    return int(match[1]) * BYTES[match[2]]
