"""Examples of similar length together, so that little is computed for padding; the same seed, the same order.

for batch in batches(lengths, max_tokens=4096, seed=0, epoch=2): batch   # indices of examples
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random


def batches(lengths: Sequence[int], *, max_tokens: int, seed: int, epoch: int) -> Iterator[list[int]]:
    """Every index once, in batches of at most `max_tokens` including padding; a longer example is alone.

    Sorted by length with a little noise, cut into batches, and the batches shuffled.
    """
    chance = Random(f"{seed}:{epoch}")
    noisy = sorted(range(len(lengths)), key=lambda at: (lengths[at] * chance.uniform(0.9, 1.1), at))
    found: list[list[int]] = []
    longest = 0
    for at in noisy:
        longest = max(longest, lengths[at])
        if found and (len(found[-1]) + 1) * longest <= max_tokens:
            found[-1].append(at)
        else:
            found.append([at])
            longest = lengths[at]
    chance.shuffle(found)
    yield from found
