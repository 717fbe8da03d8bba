"""Telephone numbers: Chinese mobiles and landlines by their form, others by numbering plans and words.

Service lines (400, 800, 95xxx) are companies' and stay. A number announced as
an order's stays.

    list(phone_numbers("座机010-62345678转8015", regions=("US",)))
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import phonenumbers

from corpora.scrub.around import is_order, piece_before, says, says_phone_after
from corpora.scrub.finds import CHECKED, FORMED, TOLD, Find

REGIONS = ("US", "GB", "AU", "HK", "SG", "IN")
FOREIGN = (
    *("FR", "DE", "IT", "ES", "PT", "NL", "BE", "CH", "AT", "SE", "NO", "DK", "FI", "IS", "IE", "PL"),
    *("CZ", "SK", "HU", "SI", "HR", "RO", "BG", "GR", "CY", "EE", "LV", "LT", "TR", "IL", "ZA", "NZ"),
    *("JP", "KR", "TW", "MY", "TH", "PH", "BR", "MX", "AR", "CL", "CO", "UY", "CA"),
)
"""Whose numbers are known by form where they are written in groups, as people write them."""
_NOT_BEFORE = r"(?<![0-9])(?<![0-9][.\-/*])(?<![$¥￥€£])"
_WORDS = re.compile(
    r"(?:^|[^a-z])(?:tel|phone|mobile|mob|cell|call|ph|fax|whatsapp|wechat|vx|wx|sms|at|is|to|p)$"
)
_MOBILE = re.compile(
    _NOT_BEFORE + r"(?:\(?(?:\+|00)?86\)?[ -]?)?1[3-9]\d(?:[ -]?\d{4}[ -]?\d{4}|[ -]\d{3}[ -]\d{5}|"
    r"\d ?\d{3} ?\d{4})(?![0-9]|[.]\d)"
)
_LANDLINE = re.compile(
    _NOT_BEFORE + r"(?:(?:(?:\+|00)86[ -]?)\(?0?(?:10|2\d|[3-9]\d{2})|\(0(?:10|2\d|[3-9]\d{2})|0(?:10|2\d|"
    r"[3-9]\d{2}))\)?[ -]?[2-8]\d{2,3}[ -]?\d{4}"
    r"(?:\s?(?:转|ext\.?|分机|-)\s?\d{1,6})?(?![0-9])"
)
_SPOKEN = re.compile(
    r"(?<![零〇一二三四五六七八九幺])[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}"
    r"(?![零〇一二三四五六七八九幺])"
)
_PLUS = re.compile(
    r"(?:(?<![0-9+])\+|(?<![0-9A-Za-z+])00)[1-9]\d{0,2}(?:[ ./-]{0,2}\(?\d{1,5}\)?){2,7}(?![0-9])"
)
_NATIONAL = re.compile(
    r"(?<![0-9A-Za-z_+.$€£¥￥/:#-])(?<![0-9] )(?:\(\d{2,5}\) ?\d{2,8}(?:[ .-]{1,2}\d{2,8}){0,3}|"
    r"\(\d{2,5}\)(?:[ .-]{1,2}\d{2,8}){1,4}|\d{2,5}(?:[ .-]{1,2}\d{2,8}){1,4})"
    r"(?:(?=[xX]\d)|(?![0-9A-Za-z:%]))|"
    r"(?<![0-9A-Za-z_+.$€£¥￥/:#-])\d{7,12}(?![0-9A-Za-z:%])"
)
_AMERICAN = re.compile(r"(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}$")
_EXTENSION = re.compile(r" ?(?:ext\.?|x|extension|转|分机) ?\d{1,6}(?![0-9])", re.IGNORECASE)
_SERVICE = re.compile(r"(?:\+?86)?[ -]?(?:400|800|95\d{3})")
_ISO_DATE = re.compile(
    r"(?:19|20)\d{2}[-. /](?:0?[1-9]|1[0-2])[-. /]\d{1,2}(?!\d)|\d{1,2}[-. /]\d{1,2}[-. /](?:19|20)?\d{2}$"
)
_DECIMAL = re.compile(r"\d+\.\d{1,3}$")
_GROUPED = re.compile(
    r"(?:\(\d{1,5}\)|0\d{1,4})[ .-]{1,2}\d{2,8}(?:[ .-]\d{2,5}){0,4}|\d{2,4}(?:[ -]\d{2,5}){2,4}"
)
"""An area in brackets or with its 0, or three groups without full stops: two are too often a range."""
_MIN_DIGITS, _MAX_DIGITS = 6, 15
_MIN_FOREIGN = 7


def phone_numbers(text: str, *, regions: Sequence[str] = REGIONS) -> Iterator[Find]:
    """Finds of folded text, in one linear pass a rule; they may overlap."""
    yield from _chinese(text)
    yield from _international(text)
    yield from _national(text, regions)


def _chinese(text: str) -> Iterator[Find]:
    for match in _MOBILE.finditer(text):
        start, end = match.span()
        before = piece_before(text, start)
        if _touches_word(text, start, end, before) or is_order(before):
            continue
        yield Find("PHONE", start, end, rule="zh-mobile", strength=FORMED)
    for match in _LANDLINE.finditer(text):
        before = piece_before(text, match.start())
        digits = re.sub(r"\D", "", match.group())
        if is_order(before) or (match.group().isdigit() and len(digits) < 11 and not says("phone", before)):
            continue
        if _touches_word(text, *match.span(), before):
            continue
        yield Find("PHONE", *match.span(), rule="zh-landline", strength=FORMED)
    for match in _SPOKEN.finditer(text):
        yield Find("PHONE", *match.span(), rule="zh-spoken", strength=FORMED)


def _international(text: str) -> Iterator[Find]:
    for match in _PLUS.finditer(text):
        number = match.group()
        has_plus = number.startswith("+")
        if not has_plus and is_order(piece_before(text, match.start())):
            continue
        if _is_possible(number if has_plus else "+" + number[2:], strict=not has_plus):
            extension = _EXTENSION.match(text, match.end())
            yield Find("PHONE", match.start(), (extension or match).end(), rule="plus", strength=CHECKED)


def _national(text: str, regions: Sequence[str]) -> Iterator[Find]:
    for match in _NATIONAL.finditer(text):
        number = match.group()
        digits = re.sub(r"\D", "", number)
        if (
            not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS
            or _SERVICE.match(number)
            or _DECIMAL.match(number)
            or _ISO_DATE.match(number)
        ):
            continue
        before = piece_before(text, match.start())
        if is_order(before):
            continue
        extension = _EXTENSION.match(text, match.end())
        end = (extension or match).end()
        if says("phone", before) or says_phone_after(text, match.end()):
            yield Find("PHONE", match.start(), end, rule="phone-told", strength=TOLD)
        elif _AMERICAN.match(number) or (not number.isdigit() and _is_valid(number, regions)):
            yield Find("PHONE", match.start(), end, rule="national", strength=FORMED)
        elif len(digits) >= _MIN_FOREIGN and _GROUPED.fullmatch(number) and _is_valid(number, FOREIGN):
            yield Find("PHONE", match.start(), end, rule="national-foreign", strength=TOLD)
        elif number.startswith("0") and len(digits) >= 10 and _is_valid(number, regions):
            yield Find("PHONE", match.start(), end, rule="national-bare", strength=TOLD)


def _touches_word(text: str, start: int, end: int, before: str) -> bool:
    """Part of an identifier of letters and digits, unless the letters say what it is ("tel138...")."""
    if end < len(text) and text[end].isascii() and text[end].isalpha():
        return True
    touches = (
        start > 0 and text[start - 1].isascii() and (text[start - 1].isalpha() or text[start - 1] == "_")
    )
    return touches and not _WORDS.search(before)


def _is_possible(number: str, *, strict: bool) -> bool:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) if strict else phonenumbers.is_possible_number(parsed)


def _is_valid(number: str, regions: Sequence[str]) -> bool:
    for region in regions:
        try:
            if phonenumbers.is_valid_number_for_region(phonenumbers.parse(number, region), region):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
