"""What can be recommended: items read from CSV or JSONL, and how texts name them and their kinds.

    catalogue = read_catalogue(Path("movies.csv"))      # id, title, tags and, if known, year, price, text
    catalogue.titles_in("I loved Toy Story")            # {"1": (8, 17)}
    catalogue.tags_in("不要恐怖片")                      # {"horror": (2, 4)}

A kind is named by its own words and by those of `kinds.toml`, in Chinese and
English. A title of one short word counts only in quotation marks: "it" is seldom the film.
"""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from dialog.errors import SkillError
from dialog.text import is_han, normalise, word_spans
from dialog.values import Value

_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_ARTICLE = re.compile(r"^(.*), (The|A|An)$")
_QUOTED = re.compile(r"[《“\"「]([^》”\"」]{1,80})[》”\"」]")
_MOST_WORDS = 10
_LEAST_CHARS = 6
"""A title of one word that is shorter needs quotation marks; so does a Chinese one below four characters."""
_LEAST_HAN = 4
Span = tuple[int, int]


class Item(Value):
    """Something to recommend; `price` in whatever currency the catalogue is in."""

    id: str
    title: str
    tags: tuple[str, ...] = ()
    year: int | None = None
    price: float | None = Field(default=None, ge=0)
    text: str = ""


class Catalogue:
    """Items in a fixed order, by id, title and kind."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = tuple(items)
        self.places = {item.id: place for place, item in enumerate(self.items)}
        if len(self.places) != len(self.items):
            raise SkillError("two items of the catalogue have one id; give each its own")

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Every kind, in order of its name."""
        return tuple(sorted({tag for item in self.items for tag in item.tags}))

    def titles_in(self, text: str) -> dict[str, Span]:
        """Ids of the items whose title stands in the text, and where; of equal titles the first item."""
        found: dict[str, Span] = {}
        spans = list(word_spans(text, 0, len(text)))
        taken = 0
        for first in range(len(spans)):
            for last in range(min(len(spans), first + _MOST_WORDS), first, -1):
                start, end = spans[first][0], spans[last - 1][1]
                item = self._by_title.get(_key(text[start:end]))
                if item is not None and start >= taken and _is_telling(text[start:end], last - first):
                    found.setdefault(item, (start, end))
                    taken = end
                    break
        for quoted in _QUOTED.finditer(text):
            item = self._by_title.get(_key(quoted[1]))
            if item is not None:
                found.setdefault(item, quoted.span(1))
        return found

    def tags_in(self, text: str) -> dict[str, Span]:
        """Kinds of the catalogue that the text names, and where first."""
        return dict(sorted(kinds_in(text, self._tag_words), key=lambda found: found[1][0]))

    @cached_property
    def _by_title(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for item in self.items:
            found.setdefault(_key(item.title), item.id)
        return found

    @cached_property
    def _tag_words(self) -> dict[str, str]:
        known = {tag: word for tag, words in kind_words().items() for word in words}
        own = {normalise(tag): tag for tag in self.tags}
        named = {word: own[tag] for tag, words in kind_words().items() if tag in own for word in words}
        return named | {word: tag for word, tag in own.items() if known.get(word) is None}


def kinds_in(text: str, named: Mapping[str, str]) -> Iterator[tuple[str, Span]]:
    """(kind, span) for each word of `named` in the text, longest first, no two overlapping."""
    low = text.casefold()
    if len(low) != len(text):
        low = text
    taken: list[Span] = []
    for word in sorted(named, key=lambda word: (-len(word), word)):
        edge = "" if is_han(word[0]) else r"\b"
        for match in re.finditer(rf"{edge}{re.escape(word)}{'s?' if edge else ''}{edge}", low):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                taken.append(match.span())
                yield named[word], match.span()


@cache
def kind_words() -> dict[str, tuple[str, ...]]:
    """What people call each kind, in either language; the kind's own name first."""
    told = tomllib.loads((files("skills") / "recommend" / "kinds.toml").read_text(encoding="utf-8"))
    return {
        kind: tuple(dict.fromkeys((kind, *(normalise(word) for word in words))))
        for kind, words in told["kinds"].items()
    }


def read_catalogue(path: Path) -> Catalogue:
    """Items of a CSV (with a header) or JSONL file; `movieId`, `genres` and "Title (1999)" are understood.

    Raises:
        SkillError: the file cannot be read, or a line is no item; the message says which.
    """
    items = []
    for number, row in rows_of(path):
        try:
            items.append(_item(row))
        except (KeyError, ValueError, ValidationError) as error:
            raise SkillError(f"{path}, line {number}: is no item ({error}); give id and title") from error
    return Catalogue(items)


def rows_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, record) of a CSV or JSONL file. Raises SkillError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.casefold() == ".csv":
                yield from enumerate(csv.DictReader(file), start=2)
                return
            for number, line in enumerate(file, start=1):
                if line.strip():
                    record = json.loads(line)
                    if not isinstance(record, dict):
                        raise SkillError(f"{path}, line {number}: is no JSON object")
                    yield number, record
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError, RecursionError) as error:
        raise SkillError(f"{path} cannot be read: {error}; give a CSV or JSONL file in UTF-8") from error


def _item(row: Mapping[str, Any]) -> Item:
    title = str(row["title"]).strip()
    year = row.get("year") or (match[1] if (match := _YEAR.search(title)) else None)
    tags = row.get("tags", row.get("genres", ()))
    return Item(
        id=str(row["id"] if "id" in row else row["movieId"]),
        title=title,
        tags=_tags(re.split(r"[|;,，、]", tags) if isinstance(tags, str) else tags),
        year=int(year) if year is not None else None,
        price=float(row["price"]) if row.get("price") not in (None, "") else None,
        text=str(row.get("text") or ""),
    )


def _tags(tags: Iterable[Any]) -> tuple[str, ...]:
    kept = [str(tag).strip().casefold() for tag in tags]
    return tuple(dict.fromkeys(tag for tag in kept if tag and tag != "(no genres listed)"))


def _key(title: str) -> str:
    bare = _YEAR.sub("", title)
    if match := _ARTICLE.match(bare):
        bare = f"{match[2]} {match[1]}"
    return " ".join(normalise(bare).replace("-", " ").split())


def _is_telling(words: str, num_words: int) -> bool:
    if any(is_han(character) for character in words):
        return len(words) >= _LEAST_HAN
    return num_words > 1 or (len(words) >= _LEAST_CHARS and words[:1].isupper())
