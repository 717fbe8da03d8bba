"""How far the confidence of a choice can be believed, and what it depends on that it should not.

expected_calibration_error([0.9, 0.6], [True, False])      # 0.35
changed_by_order([["a", "a"], ["a", "b"]])                  # 0.5
"""

from __future__ import annotations

from collections.abc import Sequence

_BINS = 10


def ranked(labels: Sequence[str], probabilities: Sequence[float]) -> tuple[tuple[str, float], ...]:
    """Labels with their probabilities, best first; equal ones in the order given."""
    pairs = zip(labels, (float(one) for one in probabilities), strict=True)
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def expected_calibration_error(
    confidences: Sequence[float], is_right: Sequence[bool], *, bins: int = _BINS
) -> float | None:
    """Mean distance between confidence and share of right ones, over `bins` as wide; None of nothing.

    Source: Guo et al. (2017), "On Calibration of Modern Neural Networks", section 2.
    """
    if not confidences:
        return None
    sums = [[0.0, 0.0] for _ in range(bins)]
    for confidence, right in zip(confidences, is_right, strict=True):
        at = min(bins - 1, int(confidence * bins))
        sums[at][0] += confidence
        sums[at][1] += right
    return sum(abs(sure - right) for sure, right in sums) / len(confidences)


def changed_by_order(chosen: Sequence[Sequence[str]]) -> float | None:
    """Share of texts whose choice is not the same under every order of the labels; None of no texts.

    Args:
        chosen: of each text, the choice under each order.
    """
    if not chosen:
        return None
    return sum(len(set(one)) > 1 for one in chosen) / len(chosen)
