"""One mail: who wrote it, when, in answer to what, and its words. Attachments are counted and never opened.

letter = parse(content)
letter.address, letter.time, letter.text, letter.num_attachments
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parseaddr, parsedate_to_datetime

from corpora.mail.quotes import own_words
from corpora.markup import plain_text

MAX_PARTS = 200
_MAX_HEADER = 4000
_REFERENCE = re.compile(r"<([^<>\s]{1,300})>")
_REPLY = re.compile(r"^\s*(?:re|aw|sv|antw|fwd?|wg|回复|答复|回覆|转发|轉寄)\s?(?:\[\d+\])?\s?[:：]\s*", re.I)


@dataclass(frozen=True)
class Envelope:
    """What the headers say. `subject` is without `Re:` and its like, `is_reply` tells if it had one."""

    message_id: str
    references: tuple[str, ...]
    subject: str
    is_reply: bool
    name: str
    address: str
    time: datetime | None


@dataclass(frozen=True)
class Letter:
    """A mail's envelope, what it adds to its thread, and what was left out of that."""

    envelope: Envelope
    text: str
    num_attachments: int = 0
    has_quotes: bool = False


def envelope(head: bytes) -> Envelope:
    """The headers of a mail; what follows them is not looked at."""
    return _envelope(BytesHeaderParser().parsebytes(head))


def parse(content: bytes) -> Letter:
    """A whole mail.

    Raises:
        ValueError: it is nested too deeply, or has too many parts.
    """
    try:
        mail = message_from_bytes(content)
        parts = _parts(mail)
    except RecursionError:
        raise ValueError("its parts are nested too deeply; leave it out") from None
    texts = [part for part in parts if _is_text(part, "plain")] or [
        part for part in parts if _is_text(part, "html")
    ]
    said = "\n".join(map(_words, texts)).strip()
    own = own_words(said)
    num_attachments = sum(not part.is_multipart() and not _is_text(part, "plain", "html") for part in parts)
    return Letter(_envelope(mail), own, num_attachments, has_quotes=own != said)


def _parts(mail: Message) -> list[Message]:
    parts: list[Message] = []
    for part in mail.walk():
        if len(parts) >= MAX_PARTS:
            raise ValueError(f"it has more than {MAX_PARTS} parts; leave it out")
        parts.append(part)
    return parts


def _is_text(part: Message, *kinds: str) -> bool:
    return (
        part.get_content_maintype() == "text"
        and part.get_content_subtype() in kinds
        and part.get_content_disposition() != "attachment"
        and not part.get_filename()
    )


def _words(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = _decoded(payload, part.get_content_charset())
    return plain_text(text) if part.get_content_subtype() == "html" else text


def _decoded(payload: bytes, charset: str | None) -> str:
    """Text in the charset that is named; mails that name none, or a wrong one, are UTF-8 or GB 18030."""
    named = {"gb2312": "gb18030", "gbk": "gb18030"}.get((charset or "").lower(), charset)
    for encoding in filter(None, (named, "utf-8", "gb18030")):
        try:
            return payload.decode(encoding)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return payload.decode("utf-8", "replace")


def _envelope(mail: Message) -> Envelope:
    name, address = parseaddr(_header(mail, "From"))
    subject = _header(mail, "Subject")
    bare = subject
    while found := _REPLY.match(bare):
        bare = bare[found.end() :]
    own = _REFERENCE.search(_header(mail, "Message-ID"))
    referred = _REFERENCE.findall(f"{_header(mail, 'References')} {_header(mail, 'In-Reply-To')}")
    return Envelope(
        message_id=own.group(1) if own else "",
        references=tuple(dict.fromkeys(referred)),
        subject=" ".join(bare.split()),
        is_reply=bare != subject,
        name=name,
        address=address.lower(),
        time=_time(_header(mail, "Date")),
    )


def _header(mail: Message, name: str) -> str:
    raw = str(mail.get(name) or "")[:_MAX_HEADER]
    if "=?" not in raw:
        return raw.replace("\r", "").replace("\n", " ")
    try:
        pieces = decode_header(raw)
    except (ValueError, LookupError):  # a malformed encoded word
        return raw
    text = "".join(one if isinstance(one, str) else _decoded(one, charset) for one, charset in pieces)
    return text.replace("\r", "").replace("\n", " ")


def _time(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
