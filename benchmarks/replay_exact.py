"""How often a one-sided gate on success cries wolf, and finds a drop: exact odds of the exchange test.

    python -m benchmarks.replay_exact

No simulation: of `num` dialogues a binomial number differ between two runs, and
of those a binomial number got worse; the exchange of the agents is then the sign
test. The gate also asks the bootstrap, which can only make it fail less often.
Churn is the share of verdicts that change between two runs of one agent.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

from benchmarks import markdown, save
from benchmarks.replay_power import CHURNS, DROP, SIZES

LEVELS = (0.95, 0.975)
_NEGLIGIBLE = 1e-9


@lru_cache
def p_value(num_differ: int, num_worse: int) -> float:
    """One-sided: how often so many of those that differ got worse, if either way is as likely."""
    return float(sum(comb(num_differ, k) for k in range(num_worse, num_differ + 1)) / 2**num_differ)


def binomial(num: int, share: float) -> list[float]:
    return [comb(num, k) * share**k * (1 - share) ** (num - k) for k in range(num + 1)]


def odds(num: int, *, churn: float, drop: float, level: float) -> float:
    """The chance, 0 to 1, that `success<-0@level` fails."""
    if churn + drop == 0:
        return 0.0
    found = 0.0
    worse = (churn / 2 + drop) / (churn + drop)
    for num_differ, chance in enumerate(binomial(num, churn + drop)):
        if chance > _NEGLIGIBLE:
            found += chance * sum(
                one
                for num_worse, one in enumerate(binomial(num_differ, worse))
                if p_value(num_differ, num_worse) <= 1 - level
            )
    return found


def main() -> None:
    rows = [
        (
            "A against A" if not drop else f"{drop:.0%} drop",
            num,
            f"{churn:.0%}",
            *(f"{odds(num, churn=churn, drop=drop, level=level):.1%}" for level in LEVELS),
        )
        for drop in (0.0, DROP)
        for num in SIZES
        for churn in CHURNS
    ]
    header = ("agents", "dialogues", "churn", *(f"`success<-0@{100 * level:g}`" for level in LEVELS))
    save("replay-exact", {"rows": [list(row) for row in rows]}, table=markdown(header, rows))


if __name__ == "__main__":
    main()
