"""Labels and actions across conversations: one question under two labels, a label spelled two ways.

Actions too: one called with other arguments than so far is noted.

A label is `state.intent`, `meta.intent`, `meta.label` or `meta.topic`. Memory: 8 bytes
and a short string for each different labelled question; the names of labels and actions.

    labels = LabelChecks()
    for problem in labels(transcript, where="a.jsonl:17"): ...
    for text in labels.summary(): ...
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator

from corpora.checks.finding import Problem
from dialog.text import normalise, words
from dialog.values import Transcript

_KEYS = ("intent", "label", "topic", "category")
MAX_LABELS = 2000
_RARE = 3


def label_of(transcript: Transcript) -> str | None:
    """The conversation's label, or None."""
    for part in (transcript.state, transcript.meta):
        for key in _KEYS:
            value = (part or {}).get(key)
            if isinstance(value, str) and value.strip():
                return value.strip()
    return None


class LabelChecks:
    """What was seen so far of labels and actions."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._labelled: dict[bytes, tuple[str, str]] = {}
        self._spelled: dict[str, str] = {}
        self._arguments: dict[str, Counter[frozenset[str]]] = defaultdict(Counter)

    def __call__(self, transcript: Transcript, *, where: str) -> Iterator[Problem]:
        label = label_of(transcript)
        if label is not None:
            yield from self._label(transcript, label, where)
        for turn, message in enumerate(transcript.messages):
            for call in message.tool_calls or ():
                yield from self._action(turn, call)

    def summary(self) -> Iterator[str]:
        """What can be said only at the end: labels too rare to learn."""
        for label, count in sorted(self.counts.items()):
            if count < _RARE and len(self.counts) > 1:
                yield f"label {label!r} stands at {count} of {self.counts.total()} labelled conversations"

    def _label(self, transcript: Transcript, label: str, where: str) -> Iterator[Problem]:
        if label in self.counts or len(self.counts) < MAX_LABELS:
            self.counts[label] += 1
        plain = "".join(character for character in normalise(label) if character.isalnum())
        spelled = self._spelled.setdefault(plain, label)
        if spelled != label and self.counts[label] <= 1:  # told where the spelling stands first
            yield Problem("labels", "warning", None, f"label {label!r} is elsewhere spelled {spelled!r}")
        question = next(
            (m.content for m in transcript.messages if m.role == "user" and m.content.strip()), ""
        )
        tokens = words(question)
        if len(tokens) < 3:
            return
        key = hashlib.blake2b(" ".join(tokens).encode("utf-8", "replace"), digest_size=8).digest()
        before, first_where = self._labelled.setdefault(key, (label, where))
        if before != label:
            yield Problem(
                "labels",
                "warning",
                None,
                f"the same question is labelled {before!r} at {first_where} and {label!r} here",
            )

    def _action(self, turn: int, call: dict[str, object]) -> Iterator[Problem]:
        function = call.get("function")
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            return
        name, arguments = function["name"], function.get("arguments")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}")
            except (ValueError, RecursionError):
                return
        if not isinstance(arguments, dict):
            return
        seen, keys = self._arguments[name], frozenset(map(str, arguments))
        usual = seen.most_common(1)
        if usual and usual[0][1] >= _RARE and not seen[keys] and len(seen) < 50:
            told = ", ".join(sorted(usual[0][0])) or "none"
            yield Problem(
                "actions",
                "note",
                turn,
                f"{name!r} has arguments {', '.join(sorted(keys)) or 'none'}; so far {told}",
            )
        seen[keys] += 1
