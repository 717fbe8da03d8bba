"""Ten-turn conversations over documents nobody here wrote, through the real command in a pseudo-terminal.

    python -m benchmarks.real_conversations [--turns 10]

Indexes the bank documents of tau2 and the government documents of doc2dial
(public sets, see `docs/performance.md`), then holds one conversation over each
with real users' words: doc2dial's own, and opening questions of tweetsumm's
customers put to the bank. Transcripts go to the terminal, figures are saved.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pexpect

from benchmarks import DATA, markdown, percentile, save
from dialog.entries import Replied
from dialog.guard.terminal import safe_text
from dialog.store import open_store
from dialog.values import Reply

PROMPT = "› "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--transcripts", type=Path, help="write the transcripts into this folder")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: no data at {DATA}")
        return
    rows = []
    for name, documents, turns in (
        ("doc2dial", _doc2dial_documents(), _doc2dial_turns(arguments.turns)),
        ("tau2 bank", _bank_documents(), _customer_turns(arguments.turns)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            row, transcript = _hold(name, Path(folder), dict(documents), turns)
        rows.append(row)
        print(transcript)
        if arguments.transcripts is not None:
            arguments.transcripts.mkdir(parents=True, exist_ok=True)
            (arguments.transcripts / f"{name.replace(' ', '-')}.txt").write_text(transcript, encoding="utf-8")
    header = ("documents", "files", "passages", "index s", "turns", "answer p50 s", "answer p95 s", "modes")
    save(
        "real_conversations",
        {"rows": [dict(zip(header, row, strict=True)) for row in rows]},
        table=markdown(header, rows),
    )


def _hold(
    name: str, folder: Path, documents: dict[str, str], turns: Sequence[str]
) -> tuple[tuple[object, ...], str]:
    """Index, talk, and read back what was recorded."""
    source = folder / "documents"
    source.mkdir()
    for file, text in documents.items():
        (source / file).write_text(text, encoding="utf-8")
    home = folder / "home"
    home.mkdir()
    _lend_models(home)
    environment = os.environ | {
        "INSTRUCTREC_HOME": str(home),
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }

    def run(*arguments: str) -> pexpect.spawn[str]:
        return pexpect.spawn(
            sys.executable,
            ["-m", "dialog", *arguments],
            env=environment,
            cwd=folder,
            dimensions=(50, 100),
            timeout=1800,
            encoding="utf-8",
        )

    started = time.perf_counter()
    indexing = run("index", "documents", "--json")
    indexing.expect(pexpect.EOF)
    index_s = time.perf_counter() - started
    report = json.loads(safe_text(indexing.before or "")[safe_text(indexing.before or "").index("{") :])
    chat = run("chat")
    chat.expect(PROMPT)
    seconds = []
    for turn in turns:
        started = time.perf_counter()
        chat.send(turn + "\r")
        chat.expect(r"\d\.\d s\x1b\[")  # the dim line of figures under a reply
        seconds.append(time.perf_counter() - started)
        chat.expect(PROMPT)
    chat.sendeof()
    chat.expect(pexpect.EOF)
    replies = _replies(home)
    modes = ", ".join(
        f"{sum(reply.mode == m for reply in replies)} {m}" for m in ("generated", "quoted", "fixed")
    )
    transcript = "\n".join(
        f"> {turn}\n{reply.text}\n  [{reply.mode}, {_sources(reply)}{second:.1f} s]\n"
        for turn, reply, second in zip(turns, replies, seconds, strict=True)
    )
    row = (
        name, len(documents), report["num_chunks"], index_s, len(turns),
        percentile(seconds, 0.5), percentile(seconds, 0.95), modes,
    )  # fmt: skip
    return row, f"# {name}\n\n{transcript}"


def _sources(reply: Reply) -> str:
    names = dict.fromkeys(citation.source for citation in reply.citations)
    return "".join(f"{name}, " for name in names)


def _replies(home: Path) -> list[Reply]:
    """The replies of the one conversation that was held."""
    with open_store(f"sqlite:///{home / 'data' / 'conversations.db'}") as store:
        (summary,) = store.list(limit=2).items
        return [entry.reply for entry in store.load(summary.id).path() if isinstance(entry, Replied)]


def _lend_models(home: Path) -> None:
    """The fetched models of the user's cache, so that only the index and the talk are measured."""
    from dialog import home as places

    cache = places.cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    (home / "cache").symlink_to(cache, target_is_directory=True)


def _lines(*path: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA.joinpath(*path), "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _doc2dial_documents() -> Iterator[tuple[str, str]]:
    for num, document in enumerate(_lines("doc2dial", "docs.jsonl.gz")):
        yield f"{num:03d}.txt", f"{document['doc_id'].split('#')[0]}\n\n{document['doc_text']}"


def _doc2dial_turns(num: int) -> list[str]:
    """What real users asked, dialogue after dialogue about one document."""
    by_document: dict[str, list[str]] = {}
    for turn in _lines("doc2dial", "grounding_val.jsonl.gz"):
        speaker, words = turn["history"][-1]
        if speaker == "user":
            by_document.setdefault(turn["doc_id"], []).append(words)
    return next(turns[:num] for turns in by_document.values() if len(turns) >= num)


def _bank_documents() -> Iterator[tuple[str, str]]:
    for num, line in enumerate(_lines("tau2", "banking_knowledge", "documents.jsonl.gz")):
        content = line["content"]
        yield f"{num:03d}.md", f"# {content['title']}\n\n{content['content']}"


def _customer_turns(num: int) -> list[str]:
    """Opening messages of customers that speak of an account, a card, a payment or a refund."""
    openings = (line["turns"][0][1] for line in _lines("tweetsumm", "valid.jsonl.gz"))
    wanted = re.compile(r"\b(account|card|payment|refund|charged?|bank|transfer|fee)\b", re.IGNORECASE)
    found = [" ".join(words.split())[:300] for words in openings if wanted.search(words)]
    return found[:num]


if __name__ == "__main__":
    main()
