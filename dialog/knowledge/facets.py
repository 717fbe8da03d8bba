"""What some metadata means to a search: whose a passage is, for which locale, when it holds, how fresh it is.

Written in front matter, as columns or fields, or given to an indexing run, in
English or Chinese: `tenant` (租户), `locale` (语言区域), `valid_from` (生效日期),
`valid_until` (失效日期), `updated` (更新日期). Everything else in the metadata
means nothing here and can be filtered by.

    read = read_facets({"租户": "acme", "失效日期": "2026年3月31日"})
    read.facets.tenant, read.facets.valid_until     # "acme", 2026-03-31 as a day's number
    read.faults                                     # why it must not be shown to anyone, if so

A fault is what would hide or show a passage wrongly, so what has one is not
indexed; a notice is what merely goes unused.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialog.text import normalise

ALWAYS_FROM, ALWAYS_UNTIL = 0, 9_999_999
"""Days' numbers (`date.toordinal`) that stand for no limit."""

NAMES: Mapping[str, str] = {
    "tenant": "tenant",
    "租户": "tenant",
    "locale": "locale",
    "语言区域": "locale",
    "valid_from": "valid_from",
    "生效日期": "valid_from",
    "生效时间": "valid_from",
    "valid_until": "valid_until",
    "失效日期": "valid_until",
    "失效时间": "valid_until",
    "updated": "updated",
    "更新日期": "updated",
    "更新时间": "updated",
}
_DATE = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[Tt\s].*)?", re.S)
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_MAX_TENANT_CHARS = 200


@dataclass(frozen=True)
class Facets:
    """`tenant` "" is everybody's, `locale` "" is for all; dates are days' numbers, `updated` 0 is unknown."""

    tenant: str = ""
    locale: str = ""
    valid_from: int = ALWAYS_FROM
    valid_until: int = ALWAYS_UNTIL
    updated: int = 0


@dataclass(frozen=True)
class Read:
    """Facets, the metadata under their own names and in one notation, and what is wrong with them."""

    facets: Facets
    metadata: Mapping[str, Any]
    faults: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def facet_name(name: str) -> str | None:
    """Our name of a column or field; None where it means nothing to a search."""
    return NAMES.get(re.sub(r"[\s-]+", "_", normalise(name).strip()))


def read_facets(metadata: Mapping[str, Any]) -> Read:
    """What the metadata of a document or a passage says; empty values say nothing."""
    found: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    faults: list[str] = []
    notices: list[str] = []
    for name, value in metadata.items():
        ours = facet_name(name)
        if ours is None:
            plain[name] = value
            continue
        try:
            known = _value(ours, value)
        except ValueError as error:
            (notices if ours == "updated" else faults).append(f"{name} = {value!r} {error}")
            continue
        if known is None:
            continue
        if found.get(ours, known) != known:
            faults.append(f"says {ours} twice: {found[ours]!r} and {known!r}")
        found[ours] = known
    days = {name: value.toordinal() for name, value in found.items() if isinstance(value, datetime.date)}
    facets = Facets(**{**found, **days})
    if facets.valid_until < facets.valid_from:
        notices.append(f"is never valid: {found['valid_from']} to {found['valid_until']}")
    canonical = {name: str(value) for name, value in found.items()}
    return Read(facets, {**plain, **canonical}, tuple(faults), tuple(notices))


def locale_tag(value: str) -> str:
    """One notation of a locale: `zh_CN` is `zh-cn`. Raises ValueError."""
    tag = value.strip().replace("_", "-").lower()
    if not _LOCALE.fullmatch(tag):
        raise ValueError("is not a locale; write it as 'zh-CN' or 'en'")
    return tag


def serves(locale: str, wanted: str) -> bool:
    """Whether a passage of a locale may be shown where `wanted` is spoken: either may be the more general."""
    return not locale or f"{wanted}-".startswith(f"{locale}-") or f"{locale}-".startswith(f"{wanted}-")


def tenant_name(value: object) -> str:
    """A tenant as it is compared: exactly, but for white space around it. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("is not the name of one tenant")
    name = str(value).strip()
    if len(name) > _MAX_TENANT_CHARS or not name.isprintable():
        raise ValueError(f"is not a tenant's name: at most {_MAX_TENANT_CHARS} printable characters")
    return name


def _value(name: str, value: object) -> str | datetime.date | None:
    """None where nothing is said."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if name == "tenant":
        return tenant_name(value)
    if name == "locale":
        return locale_tag(str(value))
    return _day(str(value))


def _day(text: str) -> datetime.date:
    match = _DATE.fullmatch(normalise(text).strip())
    if match:
        year, month, day, short_month, short_day = match.groups()
        try:
            return datetime.date(int(year), int(month or short_month), int(day or short_day))
        except ValueError:
            pass
    raise ValueError("is not a date; write it as 2026-12-31")
