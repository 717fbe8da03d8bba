"""Ids become keys: fixed-size, plain ASCII, and never equal for two ids.

Whatever an id holds (`../x`, NUL, 10,000 characters, two Unicode spellings of
one name), its key is the SHA-256 of its exact characters, and the id itself is
kept as an ASCII JSON string, which PostgreSQL can hold too (its text type has
no NUL). No path, no query and no log is ever built from an id.

    key_of("客服"), restore_id(keep_id("a\\0b"))
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from datetime import UTC, datetime


def key_of(id: str) -> str:
    """64 hex digits. Raises ValueError for an empty id."""
    if not id:
        raise ValueError("an id must have at least one character")
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


def keep_id(id: str) -> str:
    """The id as printable ASCII."""
    return json.dumps(id)


def restore_id(kept: str) -> str:
    """The id that `keep_id` kept."""
    restored = json.loads(kept)
    assert isinstance(restored, str)
    return restored


def one_line(text: str, *, limit: int) -> str:
    """`text` on one line and without control characters or lone surrogates, for titles."""
    shown = "".join(
        " " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in text[: 4 * limit]
    )
    words = " ".join(shown.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def hour_of(timestamp: str) -> str:
    """The beginning of a timestamp that all of its hour share."""
    return timestamp[:13]


def timestamp(time: datetime) -> str:
    """UTC, always with microseconds, so that the text sorts as the times do."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")
