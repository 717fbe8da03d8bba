"""One mail: who wrote it, when, in answer to what, and its words. Attachments are counted and never opened.

letter = parse(content)
letter.address, letter.time, letter.text, letter.num_attachments
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from corpora.mail.quotes import own_words
from corpora.markup import plain_text

MAX_PARTS = 200
_MAX_HEADER = 4000
_MAX_HEAD = 256_000
_HEADER = re.compile(rb"([!-9;-~]{1,80})[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)")
_WANTED = (b"from", b"subject", b"message-id", b"references", b"in-reply-to", b"date")
_SENDER = re.compile(
    r"(?:(?P<name>[^\W\d_]+(?:[ -][^\W\d_]+){0,4}|\"[^\"\\\\<>@,()]{1,200}\") ?)?"
    r"(?P<open><)?(?P<address>[\w.+-]{1,64}@[\w.-]{1,255})(?(open)>)"
)
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
    return _envelope(_headers(head))


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
    kinds = [_text_kind(part) for part in parts]
    wanted = "plain" if "plain" in kinds else "html"
    texts = [_words(part, wanted) for part, kind in zip(parts, kinds, strict=True) if kind == wanted]
    said = "\n".join(texts).strip()
    own = own_words(said)
    num_attachments = sum(
        not kind and not part.is_multipart() for part, kind in zip(parts, kinds, strict=True)
    )
    return Letter(_envelope(_headers(content)), own, num_attachments, has_quotes=own != said)


def _parts(mail: Message) -> list[Message]:
    parts: list[Message] = []
    for part in mail.walk():
        if len(parts) >= MAX_PARTS:
            raise ValueError(f"it has more than {MAX_PARTS} parts; leave it out")
        parts.append(part)
    return parts


def _text_kind(part: Message) -> str:
    """`plain` or `html` of a part that is text to be read; empty for any other."""
    kind = part.get_content_type()
    if kind not in ("text/plain", "text/html"):
        return ""
    if "Content-Disposition" in part and part.get_content_disposition() == "attachment":
        return ""
    return "" if part.get_filename() else kind.removeprefix("text/")


def _words(part: Message, kind: str) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = _decoded(payload, part.get_content_charset())
    return plain_text(text) if kind == "html" else text


def _decoded(payload: bytes, charset: str | None) -> str:
    """Text in the charset that is named; mails that name none, or a wrong one, are UTF-8 or GB 18030."""
    named = {"gb2312": "gb18030", "gbk": "gb18030"}.get((charset or "").lower(), charset)
    for encoding in filter(None, (named, "utf-8", "gb18030")):
        try:
            return payload.decode(encoding)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return payload.decode("utf-8", "replace")


def _headers(content: bytes) -> dict[bytes, str]:
    """The first of each wanted header of a mail, decoded; what stands after the empty line is not read.

    A few lines of our own, since the standard library's headers cost four times
    the rest of the reading: a mail's are read twice, once to know the threads.
    """
    found: dict[bytes, str] = {}
    at = 0
    content = content[:_MAX_HEAD].replace(b"\r\n", b"\n") if b"\r" in content[:_MAX_HEAD] else content
    while match := _HEADER.match(content, at, _MAX_HEAD):
        name = match.group(1).lower()
        if name in _WANTED and name not in found:
            found[name] = _header(match.group(2).strip()[:_MAX_HEADER])
        at = match.end() + 1
    return found


def _envelope(headers: Mapping[bytes, str]) -> Envelope:
    name, address = _sender(headers.get(b"from", ""))
    subject = headers.get(b"subject", "")
    bare = subject
    while found := _REPLY.match(bare):
        bare = bare[found.end() :]
    own = _REFERENCE.search(headers.get(b"message-id", ""))
    referred = _REFERENCE.findall(f"{headers.get(b'references', '')} {headers.get(b'in-reply-to', '')}")
    return Envelope(
        message_id=own.group(1) if own else "",
        references=tuple(dict.fromkeys(referred)),
        subject=" ".join(bare.split()),
        is_reply=bare != subject,
        name=name,
        address=address.lower(),
        time=_time(headers.get(b"date", "")),
    )


def _sender(header: str) -> tuple[str, str]:
    """Name and address; the plain forms without the standard library's character-wise reading."""
    plain = _SENDER.fullmatch(header)
    if plain and (plain["open"] or not plain["name"]):
        return (plain["name"] or "").strip('"'), plain["address"]
    return parseaddr(header)


def _header(content: bytes) -> str:
    raw = _decoded(content, None).replace("\r", "").replace("\n", " ")
    if "=?" not in raw:
        return raw
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
