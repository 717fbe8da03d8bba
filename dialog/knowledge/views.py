"""What one search may see of an index: a tenant's passages and everybody's, for its locale, valid today.

A view is a mask over the chunks of one published generation. Both legs, the
term statistics and the confidence are computed within it, so passages outside
are not merely dropped from the results: they are not there.

    columns = Columns.load(catalog)
    view = columns.view(catalog, Scope(tenant="acme", today=date(2026, 3, 1)))
    view.num_chunks, view.mask
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from dialog.errors import KnowledgeError
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.facets import facet_name, locale_tag, serves

_MOST_GAPS = 4


@dataclass(frozen=True)
class Scope:
    """Who asks, when, and what is asked among; equal scopes of one generation see the same.

    `tenant` None sees only what is everybody's, `locale` None every locale.
    `where` is a filter on metadata as JSON, so that it can be compared.
    """

    today: datetime.date
    tenant: str | None = None
    locale: str | None = None
    where: str = "{}"

    def among(self, where: Mapping[str, Any] | None) -> Scope:
        """The same, narrowed by a filter. Raises ValueError where a value is no scalar or list of scalars."""
        if not where:
            return self
        plain = {facet_name(key) or key: _options(key, value) for key, value in where.items()}
        return replace(self, where=json.dumps(plain, ensure_ascii=False, sort_keys=True))


def _options(key: str, value: object) -> list[Any]:
    """The values one of which is asked for, in the notation of the index."""
    options = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    for option in options:
        if not isinstance(option, str | int | float | bool):
            raise ValueError(f"where[{key!r}] is {value!r}; filter by text, a number, or a list of these")
    if facet_name(key) == "locale":
        options = [_tag(str(option)) for option in options]
    return sorted(options, key=repr)


def _tag(locale: str) -> str:
    """What is no locale is found nowhere."""
    try:
        return locale_tag(locale)
    except ValueError:
        return locale


@dataclass(frozen=True, eq=False)
class View:
    """Which rows of a generation's columns are seen; None for all of them."""

    mask: np.ndarray | None
    num_chunks: int
    mean_terms: float

    def rows(self) -> np.ndarray | None:
        """The rows seen, ascending; None for all."""
        return None if self.mask is None else np.flatnonzero(self.mask)


@dataclass(frozen=True, eq=False)
class Columns:
    """What every chunk says of itself, a row each, in the order of their numbers."""

    numbers: np.ndarray
    num_terms: np.ndarray
    tenants: np.ndarray
    locales: np.ndarray
    valid_from: np.ndarray
    valid_until: np.ndarray
    updated: np.ndarray
    tenant_codes: Mapping[str, int]
    locale_codes: Mapping[str, int]

    @classmethod
    def load(cls, catalog: Catalog) -> Columns:
        tenants: dict[str, int] = {"": 0}
        locales: dict[str, int] = {"": 0}
        rows = [
            (
                number,
                num,
                tenants.setdefault(tenant, len(tenants)),
                locales.setdefault(locale, len(locales)),
                *d,
            )
            for number, num, tenant, locale, *d in catalog.facets()
        ]
        found = np.ascontiguousarray(np.array(rows, dtype=np.int64).reshape(len(rows), 7).T)
        return cls(
            numbers=found[0],
            num_terms=found[1].astype(np.float32),
            tenants=found[2],
            locales=found[3],
            valid_from=found[4],
            valid_until=found[5],
            updated=found[6],
            tenant_codes=tenants,
            locale_codes=locales,
        )

    def rows_of(self, numbers: np.ndarray) -> np.ndarray:
        """The rows of chunk numbers that are all there."""
        return np.searchsorted(self.numbers, numbers)

    def find(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The row of each chunk number, int32, and whether there is one; else the row means nothing."""
        if not len(self.numbers):
            return np.zeros(len(numbers), dtype=np.int32), np.zeros(len(numbers), dtype=bool)
        offsets = np.clip(numbers - self.numbers[0], 0, self.numbers[-1] - self.numbers[0])
        rows = (
            np.searchsorted(self.numbers, self.numbers[0] + offsets).astype(np.int32)
            if self._row_of is None
            else self._row_of[offsets]
        )
        return rows, self.numbers[rows] == numbers

    @cached_property
    def _row_of(self) -> np.ndarray | None:
        """The row of each number counted from the first, where few have gone: faster than a search."""
        offsets = self.numbers - self.numbers[0]
        if offsets[-1] > _MOST_GAPS * len(offsets):
            return None
        table = np.zeros(offsets[-1] + 1, dtype=np.int32)
        table[offsets] = np.arange(len(offsets))
        return table

    def seen(self, numbers: Sequence[int], view: View) -> np.ndarray:
        """Whether each of these chunks is in the view."""
        rows = self.rows_of(np.array(numbers, dtype=np.int64))
        return np.ones(len(rows), dtype=bool) if view.mask is None else view.mask[rows]

    def view(self, catalog: Catalog, scope: Scope) -> View:
        today = scope.today.toordinal()
        mask = (self.valid_from <= today) & (today <= self.valid_until)
        # An unknown tenant has no passages of its own; -1 is nobody's code.
        own = self.tenant_codes.get(scope.tenant, -1) if scope.tenant else 0
        mask &= (self.tenants == 0) | (self.tenants == own)
        if scope.locale:
            fitting = [code for tag, code in self.locale_codes.items() if serves(tag, scope.locale)]
            mask &= np.isin(self.locales, fitting)
        where = json.loads(scope.where)
        if where:
            found = np.array(catalog.numbers_where(where), dtype=np.int64)
            mask &= np.isin(self.numbers, found, assume_unique=True)
        num_chunks = int(mask.sum())
        terms = self.num_terms[mask]
        return View(
            mask=None if num_chunks == len(mask) else mask,
            num_chunks=num_chunks,
            mean_terms=float(terms.mean()) if num_chunks else 0.0,
        )


def only(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with everything outside the spans blank, so that positions in it stay what they are."""
    kept = ["\n" if c == "\n" else " " for c in text]
    for start, end in spans:
        kept[start:end] = text[start:end]
    return "".join(kept)


def checked_facet(name: str, value: str | None, read: Callable[[str], str]) -> str | None:
    """A configured tenant or locale as it is compared. Raises KnowledgeError."""
    try:
        return (read(value) or None) if value else None
    except ValueError as error:
        raise KnowledgeError(f"knowledge.{name} = {value!r} {error}") from error
