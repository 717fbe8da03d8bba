"""Numbers with checksums or fixed forms: resident IDs, bank cards, IBAN, SSN, passports.

Every detector takes folded text and yields finds of it in one linear pass.
A number that is announced ("身份证号", "card") counts even if its checksum
fails: a mistyped card is still somebody's. One that is announced as an order
number stays, unless its checksum and its grouping say otherwise.

    list(resident_ids("身份证11010519491231002X，谢谢"))
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from stdnum import iban, luhn
from stdnum.cn import ric
from stdnum.us import ssn

from corpora.scrub.around import is_order, piece_before, says
from corpora.scrub.finds import CHECKED, FORMED, TOLD, Find

_RESIDENT = re.compile(r"(?<![0-9A-Za-z])\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx](?![0-9A-Za-z])")
_OLD_RESIDENT = re.compile(r"(?<![0-9A-Za-z])\d{15}(?![0-9A-Za-z])")
_TAIWAN_ID = re.compile(r"(?<![0-9A-Za-z])[A-Z][12]\d{8}(?![0-9A-Za-z])")
_HONG_KONG_ID = re.compile(r"(?<![0-9A-Za-z])[A-Z]{1,2}\d{6}\([0-9A]\)")
_PROVINCES = frozenset(
    re.findall(
        "..",
        "1112131415212223313233343536374142434445465051525354616263646571818283",
    )
)
_GROUPS = re.compile(r"(?<![0-9A-Za-z.])\d+(?:[ -]\d+)*")
_DIGITS = re.compile(r"\d+")
_ISSUERS = re.compile(
    r"62|4|5[0-8]|2(?:2[2-9]|[3-6]|7[01]|720)|3(?:[47]|0[0-5]|09|[689]|5[2-8])|6(?:011|0|1|3|4|5|[6-9])|"
    r"95[0-9]{2}|1800|2131|81"
)
_MIN_CARD, _MAX_CARD = 12, 19
_SURE_CARD = 15
"""Shorter ones (Maestro, Diners) are many goods' numbers too, so the words must say that it is a card."""
_IBAN = re.compile(
    r"(?<![0-9A-Za-z])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,4})?(?![0-9A-Za-z])"
)
_MIN_IBAN = 15
_SSN = re.compile(r"(?<![0-9A-Za-z-])\d{3}([ -]?)\d{2}\1\d{4}(?![0-9A-Za-z-])")
_SSN_TOLD = re.compile(r"(?:\bssn|social security|社会安全|社保)[^\d\n]{0,20}$")
_LICENCE = re.compile(r"(?<![0-9A-Za-z])(?=[A-Za-z-]{0,4}\d)[0-9A-Za-z][0-9A-Za-z-]{5,19}(?![0-9A-Za-z])")
_CHINESE_PASSPORT = re.compile(
    r"(?<![0-9A-Za-z])(?:[EeGg]\d{8}|[Ee][A-HJ-NP-Za-hj-np-z]\d{7})(?![0-9A-Za-z])"
)
_ANY_PASSPORT = re.compile(
    r"(?<![0-9A-Za-z])(?:[A-Za-z]{1,2} ?\d{6,8}|\d{8,9}|[A-Za-z]\d{2}[A-Za-z]{2}\d{4})(?![0-9A-Za-z])"
)


def resident_ids(text: str) -> Iterator[Find]:
    """Chinese resident IDs (18 digits, old ones with 15), Taiwan's and Hong Kong's."""
    for match in _RESIDENT.finditer(text):
        number = re.sub("[ -]", "", match.group()).upper()
        if _is_resident(number):
            yield Find("ID", *match.span(), rule="zh-resident", strength=CHECKED)
        elif _is_told_id(piece_before(text, match.start())):
            yield Find("ID", *match.span(), rule="zh-resident-told", strength=TOLD)
    for match in _OLD_RESIDENT.finditer(text):
        number = match.group()
        if number[:2] in _PROVINCES and _is_told_id(piece_before(text, match.start())):
            yield Find("ID", *match.span(), rule="zh-resident-15", strength=TOLD)
    for match in _TAIWAN_ID.finditer(text):
        if _is_taiwanese(match.group()) and not is_order(piece_before(text, match.start())):
            yield Find("ID", *match.span(), rule="tw-id", strength=CHECKED)
    for match in _HONG_KONG_ID.finditer(text):
        if _is_hong_kong(match.group()):
            yield Find("ID", *match.span(), rule="hk-id", strength=CHECKED)


def bank_cards(text: str) -> Iterator[Find]:
    """Card numbers of 12 to 19 digits, whole or in groups, that pass Luhn and have a card's prefix."""
    for run in _GROUPS.finditer(text):
        groups = [match.span() for match in _DIGITS.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            last = _card_end(text, groups, first)
            if last is None:
                first += 1
                continue
            find = _card(text, groups[first][0], groups[last][1], is_grouped=last > first)
            if find is None:
                first += 1
            else:
                yield find
                first = last + 1


def ibans(text: str) -> Iterator[Find]:
    """International bank account numbers, whole or in groups of four."""
    for match in _IBAN.finditer(text):
        number = match.group()
        while len(number) >= _MIN_IBAN:  # a word may follow: "DE89 ... 00 from"; at most nine groups
            if iban.is_valid(number, check_country=False):
                yield Find("IBAN", match.start(), match.start() + len(number), rule="iban", strength=CHECKED)
                break
            number, space, _ = number.rpartition(" ")
            if not space:
                break


def social_security(text: str) -> Iterator[Find]:
    """United States social security numbers."""
    for match in _SSN.finditer(text):
        before = piece_before(text, match.start())
        told = bool(_SSN_TOLD.search(before))
        if (match[1] == "-" and ssn.is_valid(match.group()) and not is_order(before)) or told:
            yield Find("ID", *match.span(), rule="us-ssn", strength=FORMED)


def licences(text: str) -> Iterator[Find]:
    """Driving licences, where the words say so."""
    for match in _LICENCE.finditer(text):
        if says("licence", piece_before(text, match.start())):
            yield Find("ID", *match.span(), rule="driving-licence", strength=FORMED)


def passports(text: str) -> Iterator[Find]:
    """Chinese passports by their form, those of others where the words say so."""
    for match in _CHINESE_PASSPORT.finditer(text):
        before = piece_before(text, match.start())
        if says("passport", before) or not (is_order(before) or _looks_like_date(match.group()[1:])):
            yield Find("PASSPORT", *match.span(), rule="zh-passport", strength=FORMED)
    for match in _ANY_PASSPORT.finditer(text):
        if says("passport", piece_before(text, match.start())):
            yield Find("PASSPORT", *match.span(), rule="passport-told", strength=FORMED)


def _card_end(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of a card that begins with group `first`, or None; the longest that passes Luhn."""
    digits, ends = "", []
    for last in range(first, min(first + 6, len(groups))):
        start, end = groups[last]
        if end - start > _MAX_CARD:
            break
        digits += text[start:end]
        if len(digits) > _MAX_CARD:
            break
        if len(digits) >= _MIN_CARD and _is_card(digits) and _are_card_groups(groups[first : last + 1]):
            ends.append(last)
        elif len(digits) >= _MIN_CARD and last == first:
            ends.append(last)  # a checksum that fails: the words before decide
    return ends[-1] if ends else None


def _card(text: str, start: int, end: int, *, is_grouped: bool) -> Find | None:
    if re.match(r"[A-Za-z]|\.\d", text[end : end + 2]):
        return None
    before = piece_before(text, start)
    number = text[start:end]
    is_sure = len(number) >= _SURE_CARD and _is_card(number) and not is_order(before)
    if is_grouped or is_sure:
        return None if _is_resident(number) else Find("CARD", start, end, rule="luhn", strength=CHECKED)
    if says("card", before) and not is_order(before) and (len(number) >= 15 or luhn.is_valid(number)):
        return Find("CARD", start, end, rule="card-told", strength=TOLD)
    return None


def _is_card(digits: str) -> bool:
    return bool(_ISSUERS.match(digits)) and len(set(digits)) > 1 and luhn.is_valid(digits)


def _are_card_groups(groups: list[tuple[int, int]]) -> bool:
    """As cards are printed: fours, 4-6-5, 6 and the rest; never a list of small numbers."""
    sizes = [end - start for start, end in groups]
    return len(sizes) == 1 or (all(size >= 4 for size in sizes[:-1]) and max(sizes) >= 4)


def _is_resident(number: str) -> bool:
    if len(number) != 18 or not number[:17].isdigit() or number[:2] not in _PROVINCES:
        return False
    if ric.calc_check_digit(number) != number[17]:
        return False
    try:
        return 1880 < date(int(number[6:10]), int(number[10:12]), int(number[12:14])).year < 2100
    except ValueError:
        return False


def _is_told_id(before: str) -> bool:
    """ "My ID is ..."; but an order's id names an order."""
    return says("id", before) and not is_order(before)


def _is_taiwanese(number: str) -> bool:
    code = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0]) + 10
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    digits = [code // 10, code % 10, *map(int, number[1:])]
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 10 == 0


def _is_hong_kong(number: str) -> bool:
    letters = number[: number.index("(")].rjust(8)
    values = [36 if c == " " else int(c, 36) for c in letters]
    total = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True))
    return (total + int(number[-2], 16)) % 11 == 0


def _looks_like_date(digits: str) -> bool:
    return bool(re.match(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$", digits))
