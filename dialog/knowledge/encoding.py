"""Bytes of unknown encoding to text, or the reason why not.

Own checks come first because statistics fail on short files: a byte order
mark, strict UTF-8, UTF-16 without a mark, and GB18030 where the bytes form
common Chinese characters. charset-normalizer judges the rest.

    decode("退货政策".encode("gbk")).text    # "退货政策"
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SIGNATURES = (
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x7fELF", "a program"),
)
_PLAIN = re.compile("[\n -~，。：；、（）]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_SAMPLE_BYTES = 65536
_MAX_CONTROL_SHARE = 0.01
_MIN_COMMON_SHARE = 0.8


class NotText(Exception):
    """The bytes are not text in an encoding we can tell; the message says what they look like."""


@dataclass(frozen=True)
class Decoded:
    """Text with `\\n` line ends and no byte order mark, and the encoding it was in."""

    text: str
    encoding: str


def decode(data: bytes, *, declared: str | None = None) -> Decoded:
    """Decode a whole file.

    Args:
        data: all bytes; empty gives empty text.
        declared: an encoding the file itself names; tried after the byte order mark.

    Raises:
        NotText: binary data, or no encoding fits.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data, encoding) or _refuse(f"starts like {encoding} but is not")
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            _refuse(f"is {name}")
    for encoding in filter(None, (declared, "utf-8")):
        if decoded := _strict(data, encoding):
            return decoded
    if b"\0" in data[:_SAMPLE_BYTES]:
        return _utf16_without_mark(data) or _refuse("is binary data")
    if _is_common_chinese(data) and (decoded := _strict(data, "gb18030")):
        return decoded
    return _by_statistics(data) or _refuse("is not text in a known encoding")


def _strict(data: bytes, encoding: str) -> Decoded | None:
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None
    if not _is_readable(text):
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Decoded(text=text, encoding=encoding.removesuffix("-sig"))


def _is_readable(text: str) -> bool:
    sample = text[:_SAMPLE_BYTES]
    num_control = sum(c < " " and c not in "\t\n\r\f\x1b\x0b" for c in sample)
    return "\0" not in text and num_control <= _MAX_CONTROL_SHARE * len(sample)


def _utf16_without_mark(data: bytes) -> Decoded | None:
    """The byte order that gives more line ends, spaces, letters and full-width stops, if one does."""
    read = [decoded for order in ("utf-16-le", "utf-16-be") if (decoded := _strict(data, order))]
    plain = {decoded.encoding: len(_PLAIN.findall(decoded.text[:_SAMPLE_BYTES])) for decoded in read}
    best = max(read, key=lambda decoded: plain[decoded.encoding], default=None)
    if best is None or not plain[best.encoding] or _PRIVATE.search(best.text[:_SAMPLE_BYTES]):
        return None
    return best


def _is_common_chinese(data: bytes) -> bool:
    """True if nearly all double bytes are GB2312 level-1 characters or CJK punctuation.

    Latin-1 text fails because its high bytes stand alone, Big5 because its
    second bytes are often below 0xA1.
    """
    sample = data[:_SAMPLE_BYTES]
    num_pairs = num_common = position = 0
    while position < len(sample):
        lead = sample[position]
        if lead < 0x80:
            position += 1
            continue
        trail = sample[position + 1] if position + 1 < len(sample) else 0
        num_pairs += 1
        num_common += trail >= 0xA1 and (0xB0 <= lead <= 0xD7 or 0xA1 <= lead <= 0xA3)
        position += 2
    return num_pairs > 0 and num_common >= _MIN_COMMON_SHARE * num_pairs


def _by_statistics(data: bytes) -> Decoded | None:
    from charset_normalizer import from_bytes

    best = from_bytes(data[: _SAMPLE_BYTES * 4], threshold=0.2).best()
    return _strict(data, best.encoding) if best else None


def _refuse(reason: str) -> Decoded:
    raise NotText(reason)
