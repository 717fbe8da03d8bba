"""News from a file: JSONL, CSV/TSV or RSS/Atom, in order of time.

    news, skipped = read_news(Path("feed.xml"))

Columns are known by several names (title/headline/标题, company/公司, time/date/日期, ...). A
line without title or date is skipped and told. RSS is read without a network and
refused if it declares entities.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pydantic import Field

from dialog.errors import SkillError
from dialog.values import Value

MAX_BYTES = 512_000_000
_NAMES: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "headline", "标题"),
    "day": ("day", "date", "time", "published", "pubDate", "updated", "日期", "时间"),
    "text": ("text", "body", "content", "summary", "description", "正文", "内容"),
    "company": ("company", "公司", "公司名称"),
    "topic": ("topic", "category", "主题"),
    "sentiment": ("sentiment", "label", "正负面", "情感"),
    "id": ("id", "guid", "row"),
    "link": ("link", "url", "链接"),
}
_SENTIMENTS = {
    "1": "positive",
    "0": "negative",
    "-1": "negative",
    "正面": "positive",
    "负面": "negative",
    "中性": "neutral",
}
_CHINESE_DAY = re.compile(r"(\d{4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})")
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.I)
_MARKUP = re.compile(r"<[^>]{0,500}>")


class News(Value):
    """One piece of news.

    Attributes:
        id: of the file, or made of title, company and day.
        company, topic, sentiment: where the file knows them; found in the text otherwise.
    """

    title: str = Field(min_length=1)
    day: date
    text: str = ""
    company: str | None = None
    topic: str | None = None
    sentiment: str | None = None
    id: str = ""
    link: str = ""


def read_news(path: Path) -> tuple[list[News], list[str]]:
    """The news of a file by day (those of one day as they stand), and what was skipped and why.

    Raises:
        SkillError: the file cannot be read, or holds no news at all.
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                content = file.read(MAX_BYTES + 1)
        if not content or len(content) > MAX_BYTES:
            raise SkillError(f"{path} is empty or has more than {MAX_BYTES} bytes; divide it")
        rows = list(_rows(path, content))
    except (
        OSError,
        EOFError,
        UnicodeDecodeError,
        csv.Error,
        ElementTree.ParseError,
        RecursionError,
    ) as error:
        raise SkillError(f"{path} cannot be read: {error}; give JSONL, CSV, TSV or RSS in UTF-8") from error
    news, skipped = [], []
    for place, row in rows:
        try:
            news.append(as_news(row))
        except ValueError as error:
            skipped.append(f"{path.name}, {place}: {error}")
    if not news:
        why = f"; {skipped[0]}" if skipped else ""
        raise SkillError(f"{path} holds no news{why}; give each a title and a date")
    return sorted(news, key=lambda one: one.day), skipped


def as_news(row: Mapping[str, Any]) -> News:
    """A record under any of the known names. Raises ValueError."""
    found = {
        field: str(next((row[name] for name in names if row.get(name) not in (None, "")), "")).strip()
        for field, names in _NAMES.items()
    }
    if not found["title"]:
        raise ValueError("no title")
    day = day_of(found["day"])
    told = _SENTIMENTS.get(found["sentiment"], found["sentiment"] or None)
    if told not in (None, "positive", "neutral", "negative"):
        raise ValueError(f"sentiment {told!r} is none of positive, neutral, negative (1, 0, -1)")
    mark = sha256("\x1f".join((found["title"], found["company"], str(day))).encode()).hexdigest()[:12]
    return News(
        title=_plain(found["title"]),
        day=day,
        text=_plain(found["text"]),
        company=found["company"] or None,
        topic=found["topic"] or None,
        sentiment=told,
        id=found["id"] or mark,
        link=found["link"],
    )


def day_of(text: str) -> date:
    """A day written as 2018-01-31, 2018年1月31日, an ISO time or as mail does. Raises ValueError."""
    if match := _CHINESE_DAY.match(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text).date()
    except (TypeError, ValueError, IndexError):
        raise ValueError(f"no date in {text[:40]!r}; write 2018-01-31") from None


def _rows(path: Path, content: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    name = path.name.casefold().removesuffix(".gz")
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        yield from _feed(content)
        return
    text = content.decode("utf-8-sig")
    if name.endswith((".csv", ".tsv")):
        divider = "\t" if name.endswith(".tsv") else ","
        lines = io.StringIO(text, newline="")
        if divider == "\t":
            table = csv.DictReader(lines, delimiter=divider, quoting=csv.QUOTE_NONE)
        else:
            table = csv.DictReader(lines)
        yield from ((f"line {number}", row) for number, row in enumerate(table, start=2))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                record = None
            yield f"line {number}", record if isinstance(record, dict) else {}


def _feed(content: bytes) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Items of RSS 2.0 and entries of Atom, name spaces dropped."""
    if _DECLARATION.search(content):
        raise SkillError(
            "the feed declares a document type or entities, which no feed needs; it was not read"
        )
    number = 0
    for element in ElementTree.fromstring(content).iter():
        if element.tag.rsplit("}", 1)[-1] in ("item", "entry"):
            number += 1
            row = {child.tag.rsplit("}", 1)[-1]: (child.text or child.get("href") or "") for child in element}
            yield f"item {number}", row


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub(" ", text).split())
