"""Triples by patterns: what a sentence says outright, in Chinese and English.

    extract("The capital of France is Paris.")      # (France, capital, Paris)
    extract("故宫的票价是60元。")                     # (故宫, 票价, 60元)

The patterns are data, `patterns.toml`. A sentence that denies, asks or supposes gives none.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from dialog.text import detect_language, normalise, sentences
from skills.triples.values import Evidence, Span, Triple

_WORD = r"[A-Z][\w&’-]*"
_PARTS = {
    "en": {
        "NAME": rf"{_WORD}(?: (?:(?:of|the|de|von|van|and) )?(?:{_WORD}|\d+))*",
        "THING": r"[^,.;!?\n]{1,80}(?:[.,]\d+[^,.;!?\n]{0,40})?",
        "NOUN": r"(?P<r>[a-z]+(?: [a-z]+){0,2})",
    },
    "zh": {
        "NAME": r"[^\s，。！？；：、,.!?;:（）()“”\"的是由在于为]{1,20}?",
        "THING": r"[^，。！？；,!?;\n]{1,60}",
        "NOUN": r"(?P<r>[\u4e00-\u9fff]{2,6}?)",
    },
}
_NO_STATEMENT = re.compile(
    r"[?？]\s*$|\b(?:not|never|isn't|wasn't|no longer|if|whether|might|may be)\b"
    r"|不是|并非|没有|如果|是否|可能|吗[。？?]?$|并不",
    re.I,
)
_MAX_CHARS = 1000
"""A longer sentence is no sentence."""


def extract(text: str, *, source: str = "") -> list[Triple]:
    """Triples of a text in the order of their sentences, each once."""
    found: dict[tuple[str, str, str], Triple] = {}
    for start, end in sentences(text):
        sentence = text[start:end]
        if _NO_STATEMENT.search(sentence) or len(sentence) > _MAX_CHARS:
            continue
        for clause in re.finditer(r"[^，；;]+" if detect_language(sentence) == "zh" else r".+", sentence):
            for triple in _of_clause(clause[0], start + clause.start(), (start, end), text, source):
                found.setdefault((triple.subject, triple.relation, triple.object), triple)
    return list(found.values())


def _of_clause(clause: str, offset: int, sentence: tuple[int, int], text: str, source: str) -> list[Triple]:
    found: list[Triple] = []
    taken: set[tuple[int, int]] = set()
    for relation, pattern in _patterns("zh" if detect_language(clause) == "zh" else "en"):
        for match in pattern.finditer(clause):
            (s0, s1), (o0, o1) = _trimmed(clause, match.span("s")), _trimmed(clause, match.span("o"))
            name = relation or match["r"].strip()
            if s0 >= s1 or o0 >= o1 or (s0, o0) in taken or (o0, s0) in taken:
                continue
            taken.add((s0, o0))
            evidence = Evidence(
                text=text[slice(*sentence)], source=source, start=sentence[0], end=sentence[1]
            )
            found.append(
                Triple(
                    subject=clause[s0:s1],
                    relation=name,
                    object=clause[o0:o1],
                    subject_span=Span(start=offset + s0, end=offset + s1),
                    object_span=Span(start=offset + o0, end=offset + o1),
                    evidence=evidence,
                )
            )
    return found


def same_relation(name: str) -> str:
    """One name for all names of a relation; a name that is not known is its own."""
    key = normalise(name).strip()
    return _same().get(key, key)


def relation_names() -> dict[str, str]:
    """Every known name of a relation, and the one it stands for."""
    return _same()


def _trimmed(clause: str, span: tuple[int, int]) -> tuple[int, int]:
    start, end = span
    while start < end and clause[start] in ' 《“"':
        start += 1
    while end > start and clause[end - 1] in ' 。.》”"':
        end -= 1
    return start, end


@cache
def _patterns(language: str) -> tuple[tuple[str | None, re.Pattern[str]], ...]:
    found = []
    for one in _told()[language]:
        pattern = one["pattern"]
        for name, part in _PARTS[language].items():
            pattern = pattern.replace(f"{{{name}}}", part)
        edge = r"\b" if language == "en" else r"(?:^|(?<=[\s，。；：、]))"
        found.append((one.get("relation"), re.compile(edge + pattern)))
    return tuple(found)


@cache
def _same() -> dict[str, str]:
    return {normalise(word): name for name, words in _told()["same"].items() for word in (name, *words)}


@cache
def _told() -> dict[str, Any]:
    return tomllib.loads((files("skills") / "triples" / "patterns.toml").read_text(encoding="utf-8"))
