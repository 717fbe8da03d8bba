"""Instructions that learn: which wording of an instruction users rate best, per deployment.

A *choice* has variants: instructions on one topic of which one is used at a
time. Each rating of a reply moves the Beta distribution of the variant that
was in use; Thompson sampling picks the next one, so that what works is used
and what might work is still tried. Old ratings fade (`memory` ratings), so
that the choice follows users whose preferences change.

    choice = Choice(name="style", variants=(short, warm))
    picked = choice.pick(random.Random(seed))
    choice = choice.rated(picked.id, score=1.0)
    [(arm.id, arm.mean, arm.share) for arm in choice.explain()]

Source: Chapelle and Li, "An Empirical Evaluation of Thompson Sampling" (2011),
with the discounting of Raj and Kalyani, "Taming Non-stationary Bandits" (2017).
We count a rating in [-1, 1] as (score + 1) / 2 of a success, and fade all arms
with every rating, so that an arm long unused becomes uncertain, not bad.
"""

from __future__ import annotations

import math
from random import Random

from pydantic import Field, model_validator

from dialog.instructions import Instruction
from dialog.values import Value

NUM_SIMULATIONS = 4_000


class Arm(Value):
    """What is remembered of one variant: faded successes and failures, and all ratings ever counted."""

    successes: float = Field(default=0.0, ge=0)
    failures: float = Field(default=0.0, ge=0)
    num_ratings: int = Field(default=0, ge=0)


class Explained(Value):
    """Why a variant is used as often as it is.

    `mean` is its expected success, `share` the probability that it is picked
    next; `successes` and `failures` are what has not faded yet.
    """

    id: str
    text: str
    num_ratings: int
    successes: float
    failures: float
    mean: float
    share: float


class Choice(Value):
    """Variants of one instruction and what ratings said of them. JSON in and out, so a store can keep it.

    Attributes:
        memory: ratings after which one weighs 1/e; None never forgets.
    """

    name: str = Field(min_length=1)
    variants: tuple[Instruction, ...] = Field(min_length=1)
    arms: dict[str, Arm] = Field(default_factory=dict)
    memory: float | None = Field(default=300.0, gt=1)

    @model_validator(mode="after")
    def _check(self) -> Choice:
        ids = [variant.id for variant in self.variants]
        if len(set(ids)) != len(ids):
            raise ValueError(f"choice {self.name!r} has two variants with one id: {ids}")
        return self

    def pick(self, random: Random) -> Instruction:
        """A variant, drawn by Thompson sampling: of one draw from each Beta, the highest."""
        return max(self.variants, key=lambda variant: self._draw(variant.id, random))

    def rated(self, variant_id: str, *, score: float) -> Choice:
        """The choice after a rating of a reply made with `variant_id`.

        Raises:
            ValueError: no such variant, or a score outside [-1, 1].
        """
        known = {variant.id for variant in self.variants}
        if variant_id not in known:
            raise ValueError(f"choice {self.name!r} has no variant {variant_id!r}; it has {sorted(known)}")
        if not -1 <= score <= 1:
            raise ValueError(f"a score lies in [-1, 1], not {score!r}")
        reward = (score + 1) / 2
        arms = {one: self._faded(self.arm(one)) for one in {**self.arms, **dict.fromkeys(known)}}
        before = arms[variant_id]
        arms[variant_id] = Arm(
            successes=before.successes + reward,
            failures=before.failures + 1 - reward,
            num_ratings=before.num_ratings + 1,
        )
        return self.model_copy(update={"arms": arms})

    def reset(self) -> Choice:
        """The same variants, nothing remembered."""
        return self.model_copy(update={"arms": {}})

    def with_variants(self, *variants: Instruction) -> Choice:
        """Other variants; those that stay keep what is remembered of them."""
        kept = {variant.id: self.arms[variant.id] for variant in variants if variant.id in self.arms}
        return Choice(name=self.name, variants=variants, arms=kept, memory=self.memory)

    def arm(self, variant_id: str) -> Arm:
        """What is remembered of a variant; of a new one nothing."""
        return self.arms.get(variant_id, Arm())

    def explain(self, *, seed: int = 0) -> tuple[Explained, ...]:
        """Each variant with its counts and its probability of being picked next, likeliest first.

        The probabilities are estimated from `NUM_SIMULATIONS` seeded draws (standard error below 0.01).
        """
        random = Random(seed)
        picked = dict.fromkeys((variant.id for variant in self.variants), 0)
        for _ in range(NUM_SIMULATIONS):
            picked[self.pick(random).id] += 1
        explained = [self._explained(variant, picked[variant.id]) for variant in self.variants]
        return tuple(sorted(explained, key=lambda one: -one.share))

    def _explained(self, variant: Instruction, num_picked: int) -> Explained:
        arm = self.arm(variant.id)
        return Explained(
            id=variant.id,
            text=variant.text,
            num_ratings=arm.num_ratings,
            successes=arm.successes,
            failures=arm.failures,
            mean=(1 + arm.successes) / (2 + arm.successes + arm.failures),
            share=num_picked / NUM_SIMULATIONS,
        )

    def _draw(self, variant_id: str, random: Random) -> float:
        arm = self.arm(variant_id)
        return random.betavariate(1 + arm.successes, 1 + arm.failures)

    def _faded(self, arm: Arm) -> Arm:
        if self.memory is None:
            return arm
        kept = math.exp(-1 / self.memory)
        return arm.model_copy(update={"successes": arm.successes * kept, "failures": arm.failures * kept})
