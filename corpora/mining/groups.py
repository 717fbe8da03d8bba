"""Groups of vectors that lie together, how many there are being part of the question.

Each vector is joined to its ten nearest; an edge weighs what share of their
neighbours its two ends have in common, and Louvain's method divides the graph.
It needs no number of groups, leaves nothing over, and on the development part
of banking77 agrees better with people's labels than k-means told the right
number does (`benchmarks/intents.py`). Vectors are centred first: those of e5
all point one way, and what tells them apart is the rest.

Shapes: N vectors, D columns, K neighbours, E edges.

Source: Jarvis and Patrick, Clustering Using a Similarity Measure Based on Shared
Near Neighbors (1973); Blondel et al., Fast unfolding of communities in large
networks (2008), as networkx implements it.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

NUM_NEIGHBOURS = 10
RESOLUTION = 4.0
MAX_JOINED = 20_000
"""More vectors than these are put to the group whose centre is nearest: a graph of all would not end."""
_ROWS = 1024
_EDGES = 65_536

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]


def grouped(vectors_ND: Vectors, *, seed: int = 0, resolution: float = RESOLUTION) -> Labels:
    """The group of each vector, from 0, the largest group first; ties by the first member.

    Args:
        vectors_ND: unit rows.
        seed: of the order in which the graph is gone through, and of who is joined beyond `MAX_JOINED`.
        resolution: higher gives more and smaller groups; positive.
    """
    if len(vectors_ND) < 3:
        return np.zeros(len(vectors_ND), dtype=np.int64)
    centred_ND = centred(vectors_ND)
    if len(centred_ND) <= MAX_JOINED:
        return _by_size(_communities(centred_ND, seed=seed, resolution=resolution))
    joined = np.sort(np.random.default_rng(seed).choice(len(centred_ND), MAX_JOINED, replace=False))
    labels = _communities(centred_ND[joined], seed=seed, resolution=resolution)
    centres = np.stack(
        [centred_ND[joined[labels == label]].mean(axis=0) for label in range(labels.max() + 1)]
    )
    nearest = [(rows @ centres.T).argmax(axis=1) for rows in _slices(centred_ND)]
    return _by_size(np.concatenate(nearest))


def centred(vectors_ND: Vectors) -> Vectors:
    """Unit rows without what all of them share."""
    moved = vectors_ND - vectors_ND.mean(axis=0)
    unit: Vectors = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
    return unit


def _communities(centred_ND: Vectors, *, seed: int, resolution: float) -> Labels:
    nearest_NK = _nearest(centred_ND)
    graph = nx.Graph()
    graph.add_nodes_from(range(len(centred_ND)))
    graph.add_weighted_edges_from(_edges(nearest_NK))
    labels = np.zeros(len(centred_ND), dtype=np.int64)
    found = nx.community.louvain_communities(graph, resolution=resolution, seed=seed)
    for label, members in enumerate(found):
        labels[list(members)] = label
    return labels


def _nearest(centred_ND: Vectors) -> NDArray[np.int64]:
    """Each row's neighbours and, last, itself."""
    num = len(centred_ND)
    k = min(NUM_NEIGHBOURS, max(2, num // 6))
    found = []
    for start in range(0, num, _ROWS):
        similar = centred_ND[start : start + _ROWS] @ centred_ND.T
        own = np.arange(start, start + len(similar))
        similar[np.arange(len(similar)), own] = -2.0
        nearest = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        found.append(np.concatenate([nearest, own[:, None]], axis=1))
    return np.concatenate(found)


def _edges(nearest_NK: NDArray[np.int64]) -> list[tuple[int, int, float]]:
    """Each pair of which one is near the other, and their neighbours' Jaccard resemblance."""
    size = nearest_NK.shape[1]
    left = np.repeat(np.arange(len(nearest_NK)), size - 1)
    right = nearest_NK[:, :-1].ravel()
    pairs_E2 = np.unique(np.sort(np.stack([left, right], axis=1), axis=1), axis=0)
    edges: list[tuple[int, int, float]] = []
    for start in range(0, len(pairs_E2), _EDGES):
        part = pairs_E2[start : start + _EDGES]
        ours, theirs = nearest_NK[part[:, 0]], nearest_NK[part[:, 1]]
        shared_E = (ours[:, :, None] == theirs[:, None, :]).sum(axis=(1, 2))
        weights = shared_E / (2 * size - shared_E)
        edges += zip(part[:, 0].tolist(), part[:, 1].tolist(), weights.tolist(), strict=True)
    return [edge for edge in edges if edge[2] > 0]


def _by_size(labels: Labels) -> Labels:
    _, first, inverse, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.lexsort((first, -counts))] = np.arange(len(counts))
    renumbered: Labels = rank[inverse]
    return renumbered


def _slices(vectors_ND: Vectors) -> list[Vectors]:
    return [vectors_ND[start : start + _ROWS] for start in range(0, len(vectors_ND), _ROWS)]
