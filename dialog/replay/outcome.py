"""What a replay found, as `report.json` says it; the page, the Markdown and JUnit are views of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dialog.metrics.judged import Ending
from dialog.replay.failures import Failure
from dialog.replay.gates import Verdict
from dialog.values import Value

Mode = Literal["forced", "free"]
Interval = tuple[float, float]
EXIT_CODES: dict[Verdict, int] = {"pass": 0, "fail": 1, "inconclusive": 4}
CRASHED = 3


class MetricOutcome(Value):
    """One score; None is n/a.

    `difference` is A - B. `ci95` and `mde` are those of the difference, or of
    `a` where there is no other agent; so is `num_conversations`, on which they rest.
    """

    a: float | None
    b: float | None = None
    difference: float | None = None
    ci95: Interval | None = None
    p_value: float | None = None
    mde: float | None = None
    signature: str
    higher_is_better: bool | None
    unit: str
    a_ci95: Interval | None = None
    b_ci95: Interval | None = None
    num_conversations: int = 0


class GateOutcome(Value):
    """One `--fail-on`, and why it ended as it did."""

    expr: str
    verdict: Verdict
    reason: str


class Fingerprints(Value):
    """What produced the answers, as each agent tells it."""

    a: dict[str, str | None]
    b: dict[str, str | None] | None = None


class DataFile(Value):
    """A file that was replayed."""

    path: str
    sha256: str


class Data(Value):
    files: tuple[DataFile, ...]


class Outcome(Value):
    """The whole of `report.json`; `exit_code` follows from `verdict`, or is 3 if an agent never answered."""

    verdict: Verdict
    exit_code: int
    mode: Mode
    seeds: tuple[int, ...]
    num_conversations: int = Field(ge=0)
    num_turns: int = Field(ge=0)
    metrics: dict[str, MetricOutcome]
    gates: tuple[GateOutcome, ...]
    failures: tuple[Failure, ...]
    fingerprints: Fingerprints
    data: Data
    endings: dict[Literal["a", "b"], dict[Ending, int]] = Field(default_factory=dict)
    """How free conversations ended, by agent; empty in forced replay."""
    gap: dict[str, MetricOutcome] = Field(default_factory=dict)
    """Agent A's free replay (`a`) against a forced one of the same conversations (`b`)."""
    notes: tuple[str, ...] = ()
    """What the reader must know: turns not asked, lines skipped, an agent that never answered."""

    @property
    def is_comparison(self) -> bool:
        return self.fingerprints.b is not None

    @property
    def computed(self) -> dict[str, MetricOutcome]:
        """The metrics that have a value for an agent."""
        return {name: one for name, one in self.metrics.items() if one.a is not None or one.b is not None}

    @property
    def not_computed(self) -> tuple[str, ...]:
        """The metrics that are n/a: neither transcripts nor agents say what they need."""
        return tuple(name for name in self.metrics if name not in self.computed)

    @property
    def headline(self) -> str:
        """The verdict in one sentence; says the same as `exit_code`."""
        if self.exit_code == CRASHED:
            return "FAIL: an agent never answered"
        match self.verdict:
            case "pass" if not self.gates:
                return "PASS: no gate was set (--fail-on)"
            case "pass":
                held = "the gate holds" if len(self.gates) == 1 else f"all {len(self.gates)} gates hold"
                return f"PASS: {held}"
            case "fail":
                failed = [gate.expr for gate in self.gates if gate.verdict == "fail"]
                return f"FAIL: {', '.join(failed)}"
            case "inconclusive":
                undecided = [gate.expr for gate in self.gates if gate.verdict == "inconclusive"]
                return f"INCONCLUSIVE: {', '.join(undecided)}"
