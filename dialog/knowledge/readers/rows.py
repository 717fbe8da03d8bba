"""CSV, TSV and JSON lines: FAQ entries, records with a text, or plain table rows.

Column names are matched case-insensitively, in English and Chinese. All FAQ
entries of a file make one document, `question` and `answer` on lines of their
own, each entry a block that no chunk crosses; every record with a text is a
document by itself.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from dialog.knowledge.documents import RawFile
from dialog.knowledge.encoding import NotText, decode
from dialog.knowledge.facets import facet_name
from dialog.knowledge.readers.markdown import markdown_document
from dialog.knowledge.readers.plain import loaded, plain_blocks
from dialog.knowledge.records import Block, Loaded, Skip
from dialog.text import normalise

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "q", "query", "prompt", "问题", "问", "标准问题", "提问"),
    "answer": ("answer", "a", "response", "reply", "答案", "答", "回答", "回复", "标准答案"),
    "source": ("source", "url", "link", "来源", "出处", "链接"),
    "updated": ("updated", "updated_at", "last_updated", "date", "更新时间", "更新日期", "更新"),
    "id": ("id", "_id", "doc_id", "document_id", "key", "编号"),
    "title": ("title", "name", "heading", "标题", "名称"),
    "text": ("text", "content", "body", "document", "doc_text", "passage", "正文", "内容", "文本"),
}
_DELIMITERS = ",;\t|"


def read_csv(file: RawFile) -> Iterator[Loaded | Skip]:
    """An FAQ, records, or a table whose every row is readable by itself."""
    text = decode(file.data).text
    csv.field_size_limit(sys.maxsize)
    delimiter = "\t" if PurePosixPath(file.source.removesuffix(".gz")).suffix == ".tsv" else _delimiter(text)
    try:
        table = [
            row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise NotText(f"is not CSV: {error}") from error
    if len(table) < 2:
        raise NotText("has a header but no rows" if table else "is empty")
    header = [name.strip() for name in table[0]]
    rows = ((f"{number}", dict(zip(header, row, strict=False))) for number, row in enumerate(table[1:], 2))
    yield from _documents(file, rows)


def read_json_lines(file: RawFile) -> Iterator[Loaded | Skip]:
    """One JSON object a line; lines that are not are listed and passed over."""
    skips: list[Skip] = []
    rows = list(_json_rows(file, skips))
    yield from skips
    yield from _documents(file, rows)


def _json_rows(file: RawFile, skips: list[Skip]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(decode(file.data).text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = "is nested too deeply" if isinstance(error, RecursionError) else f"is not JSON: {error}"
            skips.append(Skip(source=f"{file.source}:{number}", reason=reason))
            continue
        if isinstance(row, dict) and isinstance(row.get("content"), dict):
            row = row["content"]
        if isinstance(row, dict):
            yield f"{number}", row
        else:
            skips.append(Skip(source=f"{file.source}:{number}", reason="is not a JSON object"))


@lru_cache(maxsize=256)
def known_columns(names: tuple[str, ...]) -> Mapping[str, str]:
    """Our name for a column -> the file's name for it."""
    by_normal_form = {normalise(name).strip(): name for name in reversed(names)}
    found: dict[str, str] = {}
    for ours, theirs in _COLUMNS.items():
        for name in theirs:
            if name in by_normal_form:
                found[ours] = by_normal_form[name]
                break
    return found


def _documents(file: RawFile, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Loaded | Skip]:
    faq, table = _Faq(), _Table()
    named: set[str] = set()
    for number, row in rows:
        where = f"{file.source}:{number}"
        columns = known_columns(tuple(row))
        values = {ours: _text(row.get(theirs)) for ours, theirs in columns.items()}
        values = {ours: value if ours == "text" else value.strip() for ours, value in values.items()}
        extra = {
            name: value
            for name, value in row.items()
            if name not in columns.values()
            and (isinstance(value, str | int | float | bool) or facet_name(name))
            and value not in ("", None)
        }
        if values.get("question") or values.get("answer"):
            if values.get("question") and values.get("answer"):
                faq.add(values, extra)
            else:
                missing = "answer" if values.get("question") else "question"
                yield Skip(source=where, reason=f"has no {missing}")
        elif values.get("text", "").strip():
            record = values.get("id") or values.get("title") or number
            record = record if record not in named else f"{record}:{number}"
            named.add(record)
            yield _record(file, values, extra=extra, record=record)
        elif {"question", "text"} & set(columns) or not table.add(row, extra):
            yield Skip(source=where, reason=f"has neither question and answer nor text; it has {list(row)}")
    if faq.blocks:
        yield loaded(file, text="\n\n".join(faq.entries) + "\n", title=_stem(file), blocks=faq.blocks)
    if table.blocks:
        text = "\n".join(table.lines) + "\n"
        within = "rows" if faq.blocks else None
        yield loaded(file, text=text, title=_stem(file), blocks=table.blocks, record=within)


def _record(file: RawFile, values: Mapping[str, str], *, extra: dict[str, Any], record: str) -> Loaded:
    text = values["text"]
    metadata = {**extra, **{name: values[name] for name in ("source", "updated") if values.get(name)}}
    title = values.get("title") or record
    if any(line.startswith("#") or line.startswith("|") for line in text.split("\n")):
        return markdown_document(file, text, title=title, metadata=metadata, record=record)
    return loaded(file, text=text, title=title, blocks=plain_blocks(text), metadata=metadata, record=record)


@dataclass
class _Faq:
    """Entries joined to one text, a block each."""

    entries: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    position: int = 0

    def add(self, values: Mapping[str, str], extra: Mapping[str, Any]) -> None:
        question, answer = values["question"], values["answer"]
        entry = f"{question}\n{answer}"
        end = self.position + len(entry)
        metadata = dict(extra)
        if values.get("updated"):
            metadata["updated"] = values["updated"]
        self.blocks.append(
            Block(
                kind="faq",
                start=self.position,
                end=end,
                path=(question,),
                answer=(end - len(answer), end),
                source=values.get("source") or None,
                metadata=metadata,
            )
        )
        self.entries.append(entry)
        self.position = end + 2


@dataclass
class _Table:
    """Rows as `column: value; column: value` lines, a block each."""

    lines: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    position: int = 0

    def add(self, row: Mapping[str, Any], extra: Mapping[str, Any]) -> bool:
        """False if the row says nothing; whose it is and when it holds is its own, not the table's."""
        cells = {name: _text(value).strip().replace("\n", " ") for name, value in row.items()}
        line = "; ".join(f"{name}: {value}" for name, value in cells.items() if value)
        if not line:
            return False
        end = self.position + len(line)
        own = {name: value for name, value in extra.items() if facet_name(name)}
        self.blocks.append(Block(kind="table", start=self.position, end=end, metadata=own))
        self.lines.append(line)
        self.position += len(line) + 1
        return True


def _delimiter(text: str) -> str:
    """The delimiter that occurs most often in the header line."""
    header = text.lstrip().split("\n", 1)[0]
    return max(_DELIMITERS, key=header.count)


def _text(value: object) -> str:
    """A cell as text, white space and all; JSON may smuggle in lone surrogates, which no database takes."""
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(value).replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "replace").decode("utf-8")


def _stem(file: RawFile) -> str:
    return PurePosixPath(file.source.removesuffix(".gz")).stem
