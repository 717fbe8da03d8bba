"""The outcome of a check as one self-contained HTML page or as JSON.

Whatever customers wrote is escaped, personal data in shown conversations is
replaced, and the page's own policy forbids scripts and the network.

    write_report(Path("check.html"), outcome)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path

from corpora.checks import svg
from corpora.checks.finding import Finding
from corpora.checks.run import Outcome
from dialog.errors import CorpusError

HTML_ENDINGS = (".html", ".htm")


def write_report(path: Path, outcome: Outcome) -> None:
    """As JSON or as a page, by the name's ending.

    Raises:
        CorpusError: the file cannot be written.
    """
    text = (
        page(outcome)
        if path.suffix.lower() in HTML_ENDINGS
        else json.dumps(as_json(outcome), ensure_ascii=False)
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error


def as_json(outcome: Outcome) -> dict[str, object]:
    """The outcome as plain data; conversations are not in it."""
    return {
        "worst": outcome.findings.worst,
        "checks": outcome.findings.as_json(),
        "figures": outcome.figures.as_json(),
        "quarantined": outcome.num_quarantined,
        "skipped": outcome.skipped,
    }


def page(outcome: Outcome) -> str:
    """The page: what there is in pictures, what is wrong in tables, and the conversations themselves."""
    return "\n".join(
        (
            _HEAD,
            *_overview(outcome),
            *_pictures(outcome),
            *_findings(outcome),
            *_conversations(outcome),
            _FOOT,
        )
    )


def _overview(outcome: Outcome) -> Iterator[str]:
    figures, findings = outcome.figures, outcome.findings
    tokens = f", {figures.num_tokens} tokens (longest {figures.max_tokens})" if figures.tokens else ""
    yield (
        f"<h1>Transcripts checked</h1><p>{figures.num_conversations} conversations, "
        f"{figures.num_messages} messages{tokens} in {len(figures.files)} files.</p>"
    )
    yield "<table><tr><th>file<th>conversations</tr>"
    yield from (f"<tr><td>{escape(name)}<td class=n>{count}</tr>" for name, count in figures.files.items())
    yield "</table><table><tr><th>severity<th>check<th>findings</tr>"
    for check, severity in findings.ordered:
        link = f'<a href="#{check}-{severity}">{escape(check)}</a>'
        count = findings.counts[check, severity]
        yield f'<tr><td class="{severity}">{severity}<td>{link}<td class=n>{count}</tr>'
    yield "</table>"
    if outcome.num_quarantined:
        yield f"<p>{outcome.num_quarantined} conversations were copied to the quarantine file.</p>"


def _pictures(outcome: Outcome) -> Iterator[str]:
    content = outcome.figures.as_json()
    yield '<div class="pictures">'
    yield svg.bars("Messages a conversation", content["turns"])
    yield svg.bars("Tokens a conversation", content["token_lengths"])
    yield svg.bars("Languages", content["languages"])
    yield svg.bars("Labels", content["labels"])
    yield svg.bars("Topics (by words)", content["topics"])
    yield svg.bars("Groups of copies, by size", content["copies"])
    yield svg.columns("Topics by month", content["topics_by_month"])
    yield "</div>"


def _findings(outcome: Outcome) -> Iterator[str]:
    for check, severity in outcome.findings.ordered:
        kept = outcome.findings.kept(check, severity)
        count = outcome.findings.counts[check, severity]
        more = f", the first {len(kept)} shown" if len(kept) < count else ""
        yield (
            f'<details id="{check}-{severity}"{" open" if severity == "error" else ""}>'
            f'<summary><span class="{severity}">{severity}</span> {escape(check)}: {count}{more}</summary>'
            "<table><tr><th>where<th>conversation<th>turn<th>what</tr>"
        )
        yield from (_row(finding, outcome) for finding in kept)
        yield "</table></details>"


def _row(finding: Finding, outcome: Outcome) -> str:
    where = escape(finding.where) if finding.file else ""
    if finding.where in outcome.shown:
        where = f'<a href="#{_anchor(finding.where, outcome)}">{where}</a>'
    turn = "" if finding.turn is None else finding.turn
    return f"<tr><td>{where}<td>{escape(finding.conversation)}<td>{turn}<td>{escape(finding.message)}</tr>"


def _conversations(outcome: Outcome) -> Iterator[str]:
    if outcome.shown:
        yield "<h2>Conversations with findings</h2><p>Personal data is replaced; long turns are cut.</p>"
    for where, messages in outcome.shown.items():
        # the name stands inside, so that following the link opens it
        yield f'<details><summary>{escape(where)}</summary><table id="{_anchor(where, outcome)}">'
        for turn, (role, text) in enumerate(messages):
            yield f"<tr><td>{turn}<td>{role}<td class=t>{escape(text)}</tr>"
        yield "</table></details>"


def _anchor(where: str, outcome: Outcome) -> str:
    """A name for a link that holds nothing of the file's name."""
    file, _, line = where.rpartition(":")
    return f"c{list(outcome.figures.files).index(file)}-{line}"


_HEAD = """<!doctype html>
<html><head><meta charset="utf-8"><title>Transcripts checked</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 1rem}
td,th{border-bottom:1px solid #ddd;padding:.15rem .7rem;text-align:left;
vertical-align:top;overflow-wrap:anywhere}.n{text-align:right}.t{white-space:pre-wrap}
.error{color:#b3261e;font-weight:600}.warning{color:#8a5a00;font-weight:600}.note{color:#555}
.pictures{display:flex;flex-wrap:wrap;gap:1.5rem}figure{margin:0;width:34rem;max-width:100%}
figcaption{font-weight:600}svg{width:100%;height:auto;font-size:12px}summary{cursor:pointer}
.key{margin-right:.8rem;font-size:13px}.key i{display:inline-block;width:.8em;height:.8em;margin-right:.3em}
</style></head><body>"""
_FOOT = "</body></html>"
