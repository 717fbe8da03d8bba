"""What a scrub did, for review: counts by kind and rule, and samples in their context.

What was found is shown as its shape (`###########`) and never in full, unless
the report was made to `show` it. The context is the scrubbed text. Samples are
the first of each rule, at most `MAX_SAMPLES`; the counts are complete.

    report = Report(show=False)
    report.add("chats.jsonl", 3, "c-3", replaced)
    write_report(Path("scrub.html"), report)
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from corpora.scrub.conversation import Replaced
from dialog.errors import CorpusError

MAX_SAMPLES = 100
_MAX_SHAPE = 60


class Report:
    """Grows while files are scrubbed; bounded by the number of rules."""

    def __init__(self, *, show: bool = False) -> None:
        self.show = show
        self.num_conversations = 0
        self.num_changed = 0
        self.counts: Counter[tuple[str, str]] = Counter()
        self.samples: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.skipped: list[str] = []

    def add(self, path: str, number: int, conversation: str, replaced: Iterable[Replaced]) -> None:
        """One conversation; `number` is its place in the file from 1."""
        self.num_conversations += 1
        any_replaced = False
        for one in replaced:
            any_replaced = True
            key = (one.kind, one.rule)
            self.counts[key] += 1
            if len(self.samples[key]) < MAX_SAMPLES:
                self.samples[key].append(self._sample(path, number, conversation, one))
        self.num_changed += any_replaced

    @property
    def by_kind(self) -> dict[str, int]:
        """Replacements by kind, in the kinds' order."""
        kinds: Counter[str] = Counter()
        for (kind, _), count in self.counts.items():
            kinds[kind] += count
        return dict(sorted(kinds.items()))

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "conversations": self.num_conversations,
            "changed": self.num_changed,
            "skipped": self.skipped,
            "kinds": self.by_kind,
            "rules": [
                {
                    "kind": kind,
                    "rule": rule,
                    "count": count,
                    "shown": len(self.samples[kind, rule]),
                    "samples": self.samples[kind, rule],
                }
                for (kind, rule), count in sorted(self.counts.items())
            ],
        }

    def _sample(self, path: str, number: int, conversation: str, one: Replaced) -> dict[str, Any]:
        return {
            "file": path,
            "conversation": number,
            "id": conversation,
            "turn": one.turn,
            "field": one.field,
            "start": one.start,
            "end": one.end,
            "found": one.value if self.show else shape(one.value),
            "placeholder": one.placeholder,
            "before": one.before,
            "after": one.after,
        }


def shape(value: str) -> str:
    """What a value looks like without what it says: digits `#`, letters `x`, Han `字`; its marks stay."""
    shown = "".join(
        "#" if c.isdigit() else "字" if "\u3400" <= c <= "\u9fff" else "x" if c.isalpha() else c
        for c in value[:_MAX_SHAPE]
    )
    return shown + "…" if len(value) > _MAX_SHAPE else shown


def write_report(path: Path, report: Report) -> None:
    """As JSON or as one HTML page, by the name's ending.

    Raises:
        CorpusError: the file cannot be written.
    """
    content = (
        page(report)
        if path.suffix.lower() in (".html", ".htm")
        else json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error


def page(report: Report) -> str:
    """One self-contained page; every text in it is escaped."""
    content = report.as_json()
    parts = [
        _HEAD,
        f"<h1>Scrub report</h1><p>{content['changed']} of {content['conversations']} conversations changed. ",
        "The values themselves are shown.</p>"
        if report.show
        else "Values are shown by their shape: <code>#</code> a digit, <code>x</code> a letter.</p>",
        "<table><tr><th>kind<th>replaced</tr>",
        *(f"<tr><td>{escape(kind)}<td class=n>{count}</tr>" for kind, count in content["kinds"].items()),
        "</table>",
    ]
    if content["skipped"]:
        bad = "".join(f"<li>{escape(line)}" for line in content["skipped"])
        parts.append(f"<h2>Bad lines skipped</h2><ul>{bad}</ul>")
    for rule in content["rules"]:
        more = f", the first {rule['shown']} shown" if rule["shown"] < rule["count"] else ""
        name = f"{escape(rule['kind'])}: {escape(rule['rule'])} ({rule['count']}{more})"
        parts.append(
            f"<details><summary>{name}</summary><table><tr><th>where<th>found<th>after scrubbing</tr>"
        )
        parts.extend(_row(sample) for sample in rule["samples"])
        parts.append("</table></details>")
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _row(sample: dict[str, Any]) -> str:
    turn = f"turn {sample['turn']} " if sample["turn"] >= 0 else ""
    where = f"{sample['file']}: {sample['id']}, {turn}{sample['field']} {sample['start']}-{sample['end']}"
    mark = f"<mark>{escape(sample['placeholder'])}</mark>"
    after = f"…{escape(sample['before'])}{mark}{escape(sample['after'])}…"
    return f"<tr><td>{escape(where)}<td><code>{escape(sample['found'])}</code><td>{after}</tr>"


_HEAD = """<!doctype html>
<html><head><meta charset="utf-8"><title>Scrub report</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0}
td,th{border-bottom:1px solid #ddd;padding:.2rem .7rem;text-align:left;
vertical-align:top;overflow-wrap:anywhere}.n{text-align:right}mark{background:#cfe8ff}summary{cursor:pointer;font-weight:600}
</style></head><body>"""
