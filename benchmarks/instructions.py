"""Does feedback find the instruction that users like? Regret over simulated ratings.

Four variants of one instruction; simulated users rate a reply +1 or -1, with a
probability of liking that depends on the variant. Regret is what the best fixed
variant would have earned more in expectation, in ratings, over all ratings;
where preferences change, the best variant of each moment is given as well.

    python -m benchmarks.instructions [--ratings 2000] [--seeds 50]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from random import Random

from benchmarks import markdown, save
from dialog.feedback import Choice
from dialog.instructions import Instruction

STATIONARY = (0.55, 0.60, 0.70, 0.50)
Liking = Callable[[int], Sequence[float]]
Chooser = Callable[[], "Policy"]


class Policy:
    """Thompson sampling as `dialog.feedback` does it, with a given memory."""

    def __init__(self, random: Random, *, num_variants: int, memory: float | None) -> None:
        variants = tuple(
            Instruction(id=str(at), text=f"variant {at}", source="feedback") for at in range(num_variants)
        )
        self.choice = Choice(name="simulated", variants=variants, memory=memory)
        self.random = random

    def pick(self) -> int:
        return int(self.choice.pick(self.random).id)

    def rated(self, variant: int, score: float) -> None:
        self.choice = self.choice.rated(str(variant), score=score)


class AtRandom(Policy):
    """Any variant: what no learning costs."""

    def pick(self) -> int:
        return self.random.randrange(len(self.choice.variants))


def stationary(at: int) -> Sequence[float]:
    return STATIONARY


def changing(num_ratings: int) -> Liking:
    """The preferences turn round at half time: the best variant becomes the worst."""

    def liking(at: int) -> Sequence[float]:
        return STATIONARY if at < num_ratings / 2 else (0.60, 0.70, 0.45, 0.55)

    return liking


def simulate(policy: Policy, liking: Liking, random: Random, *, num_ratings: int) -> dict[str, float]:
    """Expected regret against the best fixed variant and against the best of each moment."""
    num_variants = len(liking(0))
    earned = 0.0
    fixed = [0.0] * num_variants
    best_each = 0.0
    for at in range(num_ratings):
        chances = liking(at)
        variant = policy.pick()
        policy.rated(variant, 1.0 if random.random() < chances[variant] else -1.0)
        earned += chances[variant]
        best_each += max(chances)
        fixed = [total + chance for total, chance in zip(fixed, chances, strict=True)]
    return {"fixed": max(fixed) - earned, "moment": best_each - earned}


def measure(num_ratings: int, num_seeds: int) -> dict[str, dict[str, dict[str, float]]]:
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for world, liking in (("stationary", stationary), ("changing", changing(num_ratings))):
        for name, kind, memory in (
            ("thompson, never forgets", Policy, None),
            ("thompson, memory 300 (default)", Policy, 300.0),
            ("thompson, memory 100", Policy, 100.0),
            ("at random", AtRandom, None),
        ):
            runs = []
            for seed in range(num_seeds):
                policy = kind(Random(seed), num_variants=len(STATIONARY), memory=memory)
                runs.append(simulate(policy, liking, Random(10_000 + seed), num_ratings=num_ratings))
            rows[f"{world}: {name}"] = {
                key: {
                    "median": round(statistics.median(run[key] for run in runs), 1),
                    "p90": round(statistics.quantiles([run[key] for run in runs], n=10)[-1], 1),
                }
                for key in ("fixed", "moment")
            }
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--ratings", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=50)
    options = parser.parse_args()
    rows = measure(options.ratings, options.seeds)
    table = markdown(
        ("world and policy", "against the best fixed variant", "against the best of each moment"),
        [
            (name, *(f"{row[key]['median']} ({row[key]['p90']})" for key in ("fixed", "moment")))
            for name, row in rows.items()
        ],
    )
    save("instructions", {"ratings": options.ratings, "seeds": options.seeds, "regret": rows}, table=table)


if __name__ == "__main__":
    main()
