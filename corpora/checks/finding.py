"""A finding: what is wrong, how bad it is, and where: `FILE:LINE`, conversation, turn.

Counts are complete; of each check the first `MAX_KEPT` findings are kept, so a
file of any length needs the same memory.

    findings = Findings()
    findings.add(Finding("empty-turn", "error", "chats.jsonl", 3, "c-3", 1, "the user says nothing"))
    findings.worst          # "error"
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
MAX_KEPT = 200


@dataclass(frozen=True)
class Problem:
    """What a check says about one conversation; `turn` is the message's place from 0, None for the whole."""

    check: str
    severity: Severity
    turn: int | None
    message: str


@dataclass(frozen=True)
class Finding:
    """A problem and where it stands."""

    check: str
    severity: Severity
    file: str
    line: int
    conversation: str
    turn: int | None
    message: str

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


class Findings:
    """All counts, and the first findings of each check."""

    def __init__(self, *, max_kept: int = MAX_KEPT) -> None:
        self._max_kept = max_kept
        self.counts: Counter[tuple[str, Severity]] = Counter()
        self._kept: dict[tuple[str, Severity], list[Finding]] = defaultdict(list)

    def add(self, finding: Finding) -> bool:
        """Count a finding; True if it is kept."""
        key = (finding.check, finding.severity)
        self.counts[key] += 1
        if len(self._kept[key]) >= self._max_kept:
            return False
        self._kept[key].append(finding)
        return True

    def __iter__(self) -> Iterator[Finding]:
        """The kept ones: the worst checks first, each in the order of the files."""
        for key in self.ordered:
            yield from self._kept[key]

    @property
    def ordered(self) -> list[tuple[str, Severity]]:
        """(check, severity), the worst first, then by name."""
        return sorted(self.counts, key=lambda key: (SEVERITIES.index(key[1]), key[0]))

    @property
    def worst(self) -> Severity | None:
        return next((level for level in SEVERITIES if any(key[1] == level for key in self.counts)), None)

    def kept(self, check: str, severity: Severity) -> list[Finding]:
        return list(self._kept[check, severity])

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {
                "check": check,
                "severity": severity,
                "count": self.counts[check, severity],
                "findings": [asdict(finding) for finding in self._kept[check, severity]],
            }
            for check, severity in self.ordered
        ]
