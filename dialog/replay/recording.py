"""Live conversations whose user agreed, as transcripts to replay; nothing else leaves the store.

    allow(store, "c-42", by="Ann", now=now)
    for transcript in agreed(store): ...

Consent is a record of the store beside the conversation, given and withdrawn by
id. Transcripts have other ids than the conversations, for those may name a
person, and say `meta.consent`. Personal data in the words is not dealt with
here: `scrubbed` has the verb `data scrub` do that, in a process of its own, so
that unscrubbed words never touch a disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from dialog.errors import DialogError, StoreError
from dialog.store.keys import key_of
from dialog.store.sql import SqlStore
from dialog.store.transfer import to_transcript
from dialog.values import Transcript, Value


class Consent(Value):
    """Who recorded that the user agreed, and when."""

    by: str
    time: AwareDatetime


def allow(store: SqlStore, conversation_id: str, *, by: str, now: datetime) -> None:
    """Record that the user of a conversation agreed to its being replayed. Raises StaleHead."""
    consent = Consent(by=by, time=now)
    _put(store, conversation_id, consent.model_dump_json())


def withdraw(store: SqlStore, conversation_id: str) -> None:
    """The user agrees no longer; what was recorded before is for its keeper to delete. Raises StaleHead."""
    _put(store, conversation_id, None)


def consent_of(store: SqlStore, conversation_id: str) -> Consent | None:
    """The consent of a conversation's user; None if there is none.

    Raises:
        StoreError: the record is damaged.
    """
    value = store.get_setting(_name(conversation_id)).value
    try:
        return None if value is None else Consent.model_validate_json(str(value))
    except ValidationError as error:
        raise StoreError(f"the consent for conversation {conversation_id!r} is damaged") from error


def agreed(store: SqlStore) -> Iterator[Transcript]:
    """The conversations with consent in which an assistant answered, by id."""
    for conversation_id in sorted(store.ids()):
        consent = consent_of(store, conversation_id)
        found = to_transcript(store.load(conversation_id)) if consent is not None else None
        if consent is None or found is None or all(one.role != "assistant" for one in found.messages):
            continue
        meta = {"consent": consent.model_dump(mode="json")}
        yield found.model_copy(update={"id": f"live-{key_of(conversation_id)[:16]}", "meta": meta})


def scrubbed(transcripts: Iterator[Transcript], out: Path) -> int:
    """Write them to `out` without personal data, whole or not at all; returns how many there are.

    Raises:
        DialogError: there is no `data scrub` here, or it failed.
    """
    unfinished = out.with_name(f".{out.name}.new")
    lines = [
        json.dumps(one.model_dump(mode="json", exclude_none=True, exclude_defaults=True), ensure_ascii=False)
        for one in transcripts
    ]
    if not lines:
        return 0
    command = [sys.executable, "-m", "dialog", "data", "scrub", "-", "--out", str(unfinished), "--quiet"]
    finished = subprocess.run(
        command,
        input="".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"),
        capture_output=True,
        check=False,
    )
    if finished.returncode != 0:
        unfinished.unlink(missing_ok=True)
        told = finished.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DialogError(f"nothing is written, for `data scrub` failed: {told[-1] if told else 'no reason'}")
    os.replace(unfinished, out)
    return len(lines)


def _put(store: SqlStore, conversation_id: str, value: str | None) -> None:
    version = store.get_setting(_name(conversation_id)).version
    store.put_setting(_name(conversation_id), value, expected_version=version)


def _name(conversation_id: str) -> str:
    return f"consent:{key_of(conversation_id)}"
