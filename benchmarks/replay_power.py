"""How often replay's gates cry wolf on two equal agents, and how often they find a planted drop.

    python -m benchmarks.replay_power [--runs 200]

Synthetic dialogues of 3 to 9 turns. Success is one verdict a dialogue; between
two runs of the very same agent a share of the verdicts changes at random
(churn: sampling, other hardware, a race). A second score counts right turns;
its turns share their dialogue's difficulty and their agent's luck with that
dialogue, so they are not independent. An alarm is a FAIL of the gate, at 95 %
confidence, which gates test on the side they name (the exact odds: `replay_exact`).
The column "turns drawn" does what replay refuses to: it resamples
turns as if they were independent.

The planted drop takes 5 points of success away on top of the churn. Resamples
are a tenth of replay's own, for time.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks import markdown, save
from dialog.replay.gates import decide, parse, verdict_of
from dialog.replay.statistics import Draws, Sample

Floats = NDArray[np.float64]
BASE_SUCCESS = 0.7
DROP = 0.05
RESAMPLES = 1000
SIZES = (100, 300)
CHURNS = (0.0, 0.02, 0.05, 0.1)
GATES = ("success<-0@95", "success<-0.02@95", "right<-0@95")


def ratio(sums: Floats) -> Floats:
    return sums[..., 0] / sums[..., 1]


def verdicts(chance: np.random.Generator, num: int, *, churn: float, drop: float) -> tuple[Floats, Floats]:
    """Tallies (successes, 1) of A and B; A differs by churn both ways, and lacks `drop`."""
    b = chance.random(num) < BASE_SUCCESS
    lost, won = churn / 2 + drop, churn / 2
    luck = chance.random(num)
    a = np.where(b, luck >= lost / BASE_SUCCESS, luck < won / (1 - BASE_SUCCESS))
    ones = np.ones(num)
    return np.stack([a, ones], axis=1).astype(float), np.stack([b, ones], axis=1).astype(float)


def right_turns(chance: np.random.Generator, num: int) -> tuple[Floats, Floats]:
    """Tallies (right turns, turns) of two equal agents over the same dialogues."""
    turns = chance.integers(3, 10, size=num)
    difficulty = chance.beta(4, 2, size=num)
    rows = []
    for _ in "ab":
        rate = np.clip(difficulty + chance.normal(0, 0.2, size=num), 0, 1)
        rows.append(np.stack([chance.binomial(turns, rate), turns], axis=1).astype(float))
    return rows[0], rows[1]


def as_turns(tallies: Floats) -> Floats:
    """One row a turn, as if turns were conversations."""
    return np.array([(float(at < right), 1.0) for right, turns in tallies.astype(int) for at in range(turns)])


@dataclass(frozen=True)
class Alarms:
    """What failed in one run: each gate by itself, any of them gating together, success by its p-value."""

    alone: tuple[bool, ...]
    together: bool
    by_p: bool


def alarms(seed: int, num: int, *, churn: float, drop: float) -> Alarms:
    chance = np.random.default_rng([seed, num, int(churn * 1000), int(drop * 1000)])
    draws = Draws(sorted(f"{seed}-{number}" for number in range(num)), resamples=RESAMPLES)
    success = Sample(draws, *verdicts(chance, num, churn=churn, drop=drop), ratio)
    right = Sample(draws, *right_turns(chance, num), ratio)
    estimates = {("success", True): success.difference(), ("right", True): right.difference()}
    gates = [parse(expr) for expr in GATES]
    return Alarms(
        alone=tuple(decide([gate], estimates)[0].verdict == "fail" for gate in gates),
        together=verdict_of(decide(gates, estimates)) == "fail",
        by_p=success.p_value() <= 0.05,
    )


def alarm_of_turns(seed: int, num: int) -> bool:
    """Whether `right` of two equal agents would fail if turns were drawn."""
    a, b = (as_turns(tallies) for tallies in right_turns(np.random.default_rng([seed, num]), num))
    draws = Draws([f"{seed}-{number:05}" for number in range(len(a))], resamples=RESAMPLES)
    return Sample(draws, a, b, ratio).difference().interval(0.95)[1] < 0


def main(arguments: list[str]) -> int:
    parser = ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args(arguments).runs
    rows: list[tuple[object, ...]] = []
    values: dict[str, object] = {"runs": runs}
    for drop in (0.0, DROP):
        for num in SIZES:
            naive = f"{share(alarm_of_turns(seed, num) for seed in range(runs)):.1%}" if not drop else ""
            for churn in CHURNS:
                found = [alarms(seed, num, churn=churn, drop=drop) for seed in range(runs)]
                shares = {
                    **{expr: share(one.alone[at] for one in found) for at, expr in enumerate(GATES)},
                    "all three together": share(one.together for one in found),
                    "p of success <= 0.05": share(one.by_p for one in found),
                }
                what = "A against A" if not drop else f"{drop:.0%} drop"
                values[f"{what}, {num} dialogues, churn {churn:g}"] = shares
                rows.append((what, num, f"{churn:.0%}", *(f"{one:.1%}" for one in shares.values()), naive))
                naive = ""
    header = (
        "agents", "dialogues", "churn", *(f"`{expr}`" for expr in GATES),
        "all three together", "p of success <= 0.05", "`right`, turns drawn",
    )  # fmt: skip
    save("replay-power", values, table=markdown(header, rows))
    return 0


def share(claims: Iterable[bool]) -> float:
    return float(np.mean(list(claims)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
