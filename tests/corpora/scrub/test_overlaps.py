"""Overlapping finds: the rules leave disjoint spans that cover what was found."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.scrub.finds import Find, resolved

FINDS = st.lists(
    st.builds(
        lambda kind, start, length, strength: Find(kind, start, start + length, rule="r", strength=strength),
        st.sampled_from(["NAME", "PHONE", "URL"]),
        st.integers(0, 40),
        st.integers(1, 15),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(FINDS)
@settings(max_examples=200, deadline=None)
def test_spans_are_disjoint_and_in_order(finds):
    kept = resolved(finds)
    assert all(one.end <= other.start for one, other in pairwise(kept))
    assert all(len(one) > 0 for one in kept)


@given(FINDS)
@settings(max_examples=200, deadline=None)
def test_every_character_found_stays_covered(finds):
    covered = {place for find in finds for place in range(find.start, find.end)}
    assert {place for find in resolved(finds) for place in range(find.start, find.end)} == covered


@given(FINDS)
@settings(max_examples=100, deadline=None)
def test_order_of_the_rules_does_not_matter(finds):
    assert resolved(finds) == resolved(finds[::-1])
