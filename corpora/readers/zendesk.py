"""Zendesk: tickets with their comments, as lines, an array, or under `tickets`.

A comment of the requester is the customer's, any other the agent's. Internal
notes are kept in `meta.internal_notes`, never as messages; what mails quote is cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript
from corpora.mail.quotes import own_words
from corpora.markup import plain_text
from corpora.times import parse_time

_META = (
    "subject",
    "status",
    "priority",
    "type",
    "group_id",
    "assignee_id",
    "satisfaction_rating",
    "custom_fields",
)


def convert(ticket: Mapping[str, Any], id: str) -> Found:
    """A ticket as a conversation."""
    notes: list[str] = []
    messages: list[dict[str, Any]] = []
    internal: list[str] = []
    customer = ticket.get("requester_id", ticket.get("submitter_id"))
    staff = {user["id"] for user in ticket.get("users") or () if user.get("role") in ("agent", "admin")}
    comments = _comments(ticket)
    for comment in comments or [_description(ticket, customer)]:
        text = _text(comment, notes)
        notes += ["an attachment is left out"] * len(comment.get("attachments") or ())
        if not text:
            notes.append("a comment without words is left out")
        elif comment.get("public") is False:
            internal.append(text)
            notes.append("an internal note is kept in meta, not as a message")
        else:
            author = comment.get("author_id")
            is_customer = author == customer or _role(comment) == "end-user"
            is_agent = author in staff or _role(comment) in ("agent", "admin")
            messages.append(
                present(
                    role="user" if is_customer and not is_agent else "assistant",
                    content=text,
                    name=_name(comment),
                    time=parse_time(comment.get("created_at")),
                )
            )
    meta = present(customer=customer, internal_notes=internal, **{key: ticket.get(key) for key in _META})
    tags = tuple(ticket.get("tags") or ())
    return Found(transcript(ticket.get("id") or id, messages, tags=tags, meta=meta), notes=tuple(notes))


def _comments(ticket: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The comments, from a list, a page of the API, or the audits; oldest first."""
    comments = ticket.get("comments") or ()
    if isinstance(comments, dict):
        comments = comments.get("comments") or ()
    if not comments:
        comments = [
            {"created_at": audit.get("created_at"), **event}
            for audit in ticket.get("audits") or ()
            for event in audit.get("events") or ()
            if event.get("type") == "Comment"
        ]
    times = [parse_time(comment.get("created_at")) for comment in comments]
    if any(time is None or time.tzinfo is None for time in times):
        return list(comments)
    order = sorted(range(len(times)), key=lambda number: (times[number], number))
    return [comments[number] for number in order]


def _description(ticket: Mapping[str, Any], customer: object) -> dict[str, Any]:
    """The first comment, which a ticket without comments still has as its description."""
    text = ticket.get("description") or ticket.get("subject")
    return {"author_id": customer, "body": text, "created_at": ticket.get("created_at")}


def _text(comment: Mapping[str, Any], notes: list[str]) -> str:
    text = comment.get("plain_body") or comment.get("body") or ""
    if not text and comment.get("html_body"):
        text = plain_text(str(comment["html_body"]))
    own = own_words(str(text)) if (comment.get("via") or {}).get("channel") == "email" else str(text).strip()
    if own != str(text).strip():
        notes.append("quoted text or a signature is cut")
    return own


def _author(comment: Mapping[str, Any]) -> Mapping[str, Any]:
    author = comment.get("author")
    return author if isinstance(author, dict) else {}


def _role(comment: Mapping[str, Any]) -> str:
    return str(_author(comment).get("role") or "")


def _name(comment: Mapping[str, Any]) -> str | None:
    return str(_author(comment).get("name") or "") or None


def _fits(record: Mapping[str, Any]) -> bool:
    has_words = any(key in record for key in ("comments", "audits", "description"))
    return has_words and ("requester_id" in record or "submitter_id" in record)


READER = JsonFormat(
    name="zendesk",
    fits=_fits,
    convert=convert,
    loses=("attachments", "the layout of HTML", "quoted text", "events other than comments"),
    wrappers=("tickets", "results"),
)
