"""Identifiers: order numbers, SKUs, phone numbers, mail and web addresses, long runs of digits.

Compared exactly, but for separators and case: `KH-20481` is `kh20481`,
`138-0013-8000` is `13800138000`.
"""

from __future__ import annotations

import re

from dialog.metrics.facts.folding import Found, Page

_ADDRESS = re.compile(
    r"https?://[^\s\x00<>\"'，。；、）)]{1,500}|www\.[^\s\x00<>\"'，。；、）)]{1,500}"
    r"|(?<![a-z0-9.+_-])[a-z0-9.+_-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}"
)
_PHONE = re.compile(
    r"(?<![\w.-])(?:\+|00)?(?:\(\d{2,4}\)|\d{1,4})(?:(?: ?- ?| )(?:\(\d{2,4}\)|\d{2,8})){1,4}"
    r"(?![\w-]|\.\d)"
    r"|(?<!\w)\(\d{3}\)\d{3}-\d{4}(?!\d)"
)
_NAMED = re.compile(
    r"(?:(?:order|ticket|case|tracking|invoice|reference|ref|booking|confirmation|account|flight|code"
    r"|model|sku|id)(?: (?:number|no|id|code|is))?[.:]? ?"
    r"|[号码]\s?(?:是|为)?\s?:?\s?|(?:订单|单号|工单|编号)\s?:?\s?|#\s?|no\. ?)"
    r"(?<!\d)(?<!\d[.,])#?(\d{4,24})(?![\d,.%]?\d)(?![ -]?(?:元|块|天|件|个|次|%|usd|dollars|days|items))"
)
_ENDING = re.compile(r"(?:尾号\s?[为是]?\s?:?\s?|(?:ending|ends) (?:in|with) |\*{2,12})(\d{3,6})(?!\d)")
_MIXED = re.compile(r"(?<![a-z0-9])[a-z0-9]{1,32}(?:[-_/.][a-z0-9]{1,32}){0,6}(?![a-z0-9])")
_MEASURE = re.compile(
    r"\d{1,9}(?:[-.]?\d{1,3})?-?[a-z]{1,12}(?:-[a-z]{1,12})*|[a-z]{1,2}\d|(?:[a-z]+-)+\d{1,2}"
)
_VERSION = re.compile(r"(?<![\d.])\d{1,9}(?:\.\d{1,9}){2,5}(?![\d.]*\d)")
_LONG = re.compile(r"(?<!\d)(?<!\d[.,])\d{7,64}(?![\d,]|\.\d| ?[万元%])")
_MIN_PHONE_DIGITS, _MAX_PHONE_DIGITS = 7, 15
_MIN_MIXED_CHARS = 4


def read_identifiers(page: Page) -> None:
    """Take the identifiers of a page whose dates are taken already."""
    page.take(_ENDING, lambda m: _identifier("*" + m[1], m[1]), group=1)
    page.take(_PHONE, _phone)
    page.take(_NAMED, lambda m: _identifier(m[1]), group=1)
    page.take(_MIXED, _mixed)
    page.take(_VERSION, lambda m: _identifier(m.group()))
    page.take(_LONG, lambda m: _identifier(m.group()))


def read_addresses(page: Page) -> None:
    """Take mail and web addresses: before dates, which they may contain."""
    page.take(
        _ADDRESS,
        lambda m: _identifier(m.group().rstrip("./").removeprefix("https://").removeprefix("http://")),
    )


def _phone(match: re.Match[str]) -> Found:
    digits = re.sub(r"\D", "", match.group())
    if _MIN_PHONE_DIGITS <= len(digits) <= _MAX_PHONE_DIGITS:
        yield from _identifier(digits)


def _mixed(match: re.Match[str]) -> Found:
    """Letters with digits, but for measures (`16gb`, `7-day`, `10am`) and what is too short to identify."""
    text = match.group()
    compact = re.sub(r"[-_/.]", "", text)
    if compact.isdigit() or compact.isalpha() or len(compact) < _MIN_MIXED_CHARS or _MEASURE.fullmatch(text):
        return
    yield from _identifier(compact)


def _identifier(*values: str) -> Found:
    yield "identifier", "identifier", values
