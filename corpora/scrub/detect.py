"""All detectors over one text: spans of the original, overlaps resolved, what is allowed left out.

detector = Detector()
for find in detector("我叫张伟，电话138 1234 5678"):
    print(find.kind, find.start, find.end, find.rule)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from corpora.scrub import numbers, online, phones, places
from corpora.scrub.finds import TOLD, Find, resolved
from corpora.scrub.folding import fold
from corpora.scrub.names import names
from corpora.scrub.patterns import OwnPatterns, Rules

PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]{0,30}_\d{1,6}\]")
_DIGIT = re.compile(r"\d")
_NUM_DIGITS = re.compile(r"\d(?:\D{0,6}\d){4}")
_WORD_SIDE = re.compile(r"\w")


class Detector:
    """Finds personal data by rules; holds no state between texts."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._own = OwnPatterns(self.rules)

    def __call__(self, text: str, *, known: Iterable[str] = ()) -> list[Find]:
        """Disjoint finds in order of the text.

        Args:
            text: any text; placeholders in it are passed over.
            known: names to find wherever they stand as words.
        """
        if len(text) < 2:
            return []
        folded = fold(text)
        body = folded.text
        raw = [*self._found(body), *_literal(body, (*self.rules.names, *known))]
        masked = [match.span() for match in PLACEHOLDER.finditer(body)] if "[" in body else []
        finds = []
        for find in raw:
            start, end = find.start, find.end
            if any(start < high and low < end for low, high in masked):
                continue
            if folded.places is not None:
                start, end = folded.original(start, end)
                find = replace(find, start=start, end=end)
            if not self._own.allows(find.kind, text[start:end]):
                finds.append(find)
        return resolved(finds)

    def allows(self, kind: str, text: str) -> bool:
        """Whether the rules say that this text is to be left alone."""
        return self._own.allows(kind, text)

    def names(self, text: str) -> list[Find]:
        """Only what the rules for names find, in spans of the original."""
        folded = fold(text)
        finds = []
        for find in names(folded.text):
            start, end = folded.original(find.start, find.end)
            if not self._own.allows("NAME", text[start:end]):
                finds.append(replace(find, start=start, end=end))
        return finds

    def _found(self, text: str) -> Iterator[Find]:
        if "@" in text or "at" in text.lower():
            yield from online.emails(text)
        if "://" in text or "www." in text.lower():
            yield from online.urls(text)
        if _NUM_DIGITS.search(text):
            yield from numbers.resident_ids(text)
            yield from numbers.bank_cards(text)
            yield from numbers.ibans(text)
            yield from numbers.social_security(text)
            yield from numbers.passports(text)
            yield from numbers.licences(text)
            yield from phones.phone_numbers(text, regions=self.rules.regions)
        elif "一" in text or "幺" in text:
            yield from phones.phone_numbers(text, regions=())
        if _DIGIT.search(text) or ":" in text:
            yield from online.addresses_on_the_net(text)
            yield from online.plates(text)
        yield from places.addresses(text)
        yield from names(text)
        yield from self._own.finds(text)


def _literal(text: str, known: Iterable[str]) -> Iterator[Find]:
    """Known names wherever they stand; Latin ones as whole words."""
    for name in known:
        start = text.find(name)
        while start >= 0:
            end = start + len(name)
            latin = name[0].isascii() or name[-1].isascii()
            touches = latin and (
                _WORD_SIDE.match(text[start - 1 : start] or " ")
                or _WORD_SIDE.match(text[end : end + 1] or " ")
            )
            if not touches:
                yield Find("NAME", start, end, rule="known-name", strength=TOLD)
            start = text.find(name, end)
