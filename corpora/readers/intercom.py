"""Intercom: conversations with their parts, as lines, an array, or under `conversations` or `data`.

Users, leads and contacts are customers; admins, teams and bots speak for the
business. Notes between colleagues are kept in `meta.internal_notes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript
from corpora.markup import plain_text
from corpora.times import parse_time

_CUSTOMERS = ("user", "lead", "contact", "visitor")
_NOTES = ("note", "note_and_reopen")
_INTERNAL = (*_NOTES, "assignment", "assign_and_reopen", "participant_added")
_META = ("title", "state", "priority", "conversation_rating", "custom_attributes", "sla_applied")


def convert(conversation: Mapping[str, Any], id: str) -> Found:
    """A conversation as a transcript."""
    notes: list[str] = []
    internal: list[str] = []
    source = {"created_at": conversation.get("created_at"), **(conversation.get("source") or {})}
    listed = conversation.get("conversation_parts") or {}
    parts = listed.get("conversation_parts") or () if isinstance(listed, dict) else listed
    total = listed.get("total_count") if isinstance(listed, dict) else None
    if isinstance(total, int) and total > len(parts):
        notes.append("the export holds only some of a conversation's parts")
    messages = []
    for part in (source, *parts):
        text = plain_text(str(part.get("body") or ""))
        kind = part.get("part_type")
        notes += ["an attachment is left out"] * len(part.get("attachments") or ())
        if kind in _INTERNAL and text:
            internal.append(text)
            notes.append("an internal note is kept in meta, not as a message")
        elif text:
            messages.append(_message(part, text))
        elif part is not source:
            notes.append(f"an event of the kind {str(kind)[:40]!r} is left out")
    meta = present(
        customer=_customer(conversation, source),
        internal_notes=internal,
        **{key: conversation.get(key) for key in _META},
    )
    made = transcript(conversation.get("id") or id, messages, tags=_tags(conversation), meta=meta)
    return Found(made, notes=tuple(notes))


def _message(part: Mapping[str, Any], text: str) -> dict[str, Any]:
    author = part.get("author") or {}
    return present(
        role="user" if author.get("type") in _CUSTOMERS else "assistant",
        content=text,
        name=author.get("name"),
        time=parse_time(part.get("created_at")),
    )


def _customer(conversation: Mapping[str, Any], source: Mapping[str, Any]) -> Any:
    author = source.get("author") or {}
    if author.get("type") in _CUSTOMERS:
        return author.get("id")
    contacts = (conversation.get("contacts") or {}).get("contacts") or [{}]
    return contacts[0].get("id")


def _tags(conversation: Mapping[str, Any]) -> tuple[str, ...]:
    tags = conversation.get("tags") or ()
    listed = tags.get("tags") or () if isinstance(tags, dict) else tags
    return tuple(tag["name"] if isinstance(tag, dict) else str(tag) for tag in listed)


READER = JsonFormat(
    name="intercom",
    fits=lambda record: "conversation_parts" in record or record.get("type") == "conversation",
    convert=convert,
    loses=("attachments", "the layout of HTML", "events without words"),
    wrappers=("conversations", "data"),
)
