"""The rules of a text: told to the model, and checked by code.

violations("Dear Ann, ...", item)     # () if every rule is kept
"""

from __future__ import annotations

from collections.abc import Iterator

from dialog.text import detect_language, normalise, phrase_pattern, words
from dialog.values import Language
from skills.generate.records import Input, Rule, Violation
from skills.wordings import Wordings

_LANGUAGES = {"en": "English", "zh": "中文"}


def violations(text: str, item: Input) -> tuple[Violation, ...]:
    """What a text breaks, in the order of the rules; an empty text breaks its language."""
    return tuple(_broken(text, item))


def _broken(text: str, item: Input) -> Iterator[Violation]:
    written = detect_language(text)
    if written != item.spoken:
        found = "nothing was written" if not text.strip() else f"written in {written!r}"
        yield Violation(rule="language", detail=f"{found}, not in {item.spoken!r}")
    num_words = len(words(text))
    if item.min_words is not None and num_words < item.min_words:
        yield Violation(rule="min_words", detail=f"{num_words} words, at least {item.min_words}")
    if item.max_words is not None and num_words > item.max_words:
        yield Violation(rule="max_words", detail=f"{num_words} words, at most {item.max_words}")
    if item.kind == "title" and "\n" in text.strip():
        yield Violation(rule="one_line", detail=f"{len(text.strip().splitlines())} lines")
    plain = normalise(text)
    for phrase in item.must_include:
        if not phrase_pattern(phrase).search(plain):
            yield Violation(rule="must_include", detail=phrase)
    for phrase in item.must_not_include:
        if phrase_pattern(phrase).search(plain):
            yield Violation(rule="must_not_include", detail=phrase)


def told(item: Input, wordings: Wordings) -> str:
    """All rules as one sentence in the language of the text; each as `one_told` has it."""
    rules: list[tuple[Rule, str]] = [("language", "")]
    rules += [("min_words", "")] if item.min_words is not None else []
    rules += [("max_words", "")] if item.max_words is not None else []
    rules += [("one_line", "")] if item.kind == "title" else []
    rules += [("must_include", phrase) for phrase in item.must_include]
    rules += [("must_not_include", phrase) for phrase in item.must_not_include]
    said = joined([one_told(rule, phrase, item, wordings) for rule, phrase in rules], item.spoken)
    return wordings.fill("rules", item.spoken, rules=said)


def one_told(rule: Rule, phrase: str, item: Input, wordings: Wordings) -> str:
    """One rule in words; `phrase` for those that have one."""
    language = item.spoken
    match rule:
        case "language":
            return wordings.fill(rule, language, name=_LANGUAGES[language])
        case "min_words" | "max_words":
            limit = item.min_words if rule == "min_words" else item.max_words
            return wordings.fill(rule, language, limit=str(limit))
        case "one_line":
            return wordings.fill(rule, language)
        case "must_include" | "must_not_include":
            return wordings.fill(rule, language, phrase=phrase)


def joined(said: list[str], language: Language) -> str:
    """A list in a sentence."""
    return ("；" if language == "zh" else "; ").join(said)
