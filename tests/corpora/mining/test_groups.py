"""Grouping of vectors: how many groups there are is found, and nothing depends on luck."""

import numpy as np

from corpora.mining import groups
from corpora.mining.groups import grouped


def clouds(num_groups: int, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(num_groups, 32))
    labels = np.repeat(np.arange(num_groups), size)
    vectors = centres[labels] + 0.15 * draw.normal(size=(num_groups * size, 32))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def as_sets(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def test_clouds_are_found_without_being_told_their_number():
    vectors, labels = clouds(5, 12)
    assert as_sets(grouped(vectors)) == as_sets(labels)


def test_same_seed_gives_the_same_groups():
    vectors, _ = clouds(6, 20, seed=3)
    assert grouped(vectors, seed=4).tolist() == grouped(vectors, seed=4).tolist()


def test_largest_group_comes_first():
    vectors, labels = clouds(3, 20)
    keep = np.concatenate([np.flatnonzero(labels == 0)[:12], np.flatnonzero(labels > 0)[:34]])
    sizes = np.bincount(grouped(vectors[keep]))
    assert sizes.tolist() == sorted(sizes, reverse=True)


def test_one_and_two_vectors_are_one_group():
    vectors, _ = clouds(2, 1)
    assert grouped(vectors[:1]).tolist() == [0]
    assert grouped(vectors).tolist() == [0, 0]
    assert grouped(vectors[:0]).tolist() == []


def test_vectors_beyond_the_limit_join_the_nearest_group(monkeypatch):
    vectors, labels = clouds(4, 30)
    monkeypatch.setattr(groups, "MAX_JOINED", 60)
    assert as_sets(grouped(vectors, resolution=1.0)) == as_sets(labels)
