"""What one conversation shows by itself; whole sets are judged by `corpora.checks.run`.

judge = Judge(Detector())
judge(transcript.model_dump_json()).problems
"""

from __future__ import annotations

from dataclasses import dataclass

from corpora.checks.content import ContentChecks, CountTokens, language_of
from corpora.checks.duplicates import Print, print_of
from corpora.checks.finding import Problem
from corpora.checks.turns import turn_problems
from corpora.scrub.detect import Detector
from corpora.scrub.patterns import Rules
from dialog.values import Transcript


@dataclass(frozen=True)
class Judged:
    """Problems in order; `num_tokens` is None where none were counted."""

    problems: tuple[Problem, ...]
    language: str
    num_tokens: int | None
    print: Print


class Judge:
    """Depends on nothing but the rules and the tokenizer, so that several processes may share the work."""

    def __init__(self, rules: Rules, *, count_tokens: CountTokens | None, window: int | None) -> None:
        self._content = ContentChecks(Detector(rules), count_tokens=count_tokens, window=window)

    def __call__(self, line: str) -> Judged:
        """Of a transcript as JSON."""
        transcript = Transcript.model_validate_json(line)
        problems = (*turn_problems(transcript), *self._content(transcript))
        said = "\n".join(m.content for m in transcript.messages if m.role in ("user", "assistant"))
        return Judged(problems, language_of(transcript), self._content.last_tokens, print_of(said))
