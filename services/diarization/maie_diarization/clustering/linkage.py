"""Average linkage: which groups of voices are the most alike, from the first join to the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

_HEARTBEAT_JOINS: Final = 256


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Dendrogram:
    """All joins of a set of items, by falling similarity.

    Attributes:
        joins: For each join two items, one of each group; shape (items - 1, 2).
        similarity: The mean similarity of the two groups, never rising; shape (items - 1,).
    """

    joins: NDArray[np.int64]
    similarity: NDArray[np.float64]

    @property
    def items(self) -> int:
        """The number of items."""
        return len(self.joins) + 1

    def unions(self) -> Iterator[tuple[int, int]]:
        """The two groups of each join, each as its first item; the union keeps the lower."""
        root = list(range(self.items))
        for one, other in self.joins.tolist():
            first, second = sorted((_root(root, one), _root(root, other)))
            root[second] = first
            yield first, second

    def joined(self, joins: int) -> Labels:
        """The group of each item after so many joins; numbered by their first items."""
        root = np.arange(self.items)
        for first, second in islice(self.unions(), joins):
            root[root == second] = first
        return np.unique(root, return_inverse=True)[1]

    def joins_above(self, similarity: float) -> int:
        """The number of joins of at least this similarity."""
        return int(np.searchsorted(-self.similarity, -similarity, side="right"))


def _root(root: list[int], item: int) -> int:
    while root[item] != item:
        root[item] = root[root[item]]
        item = root[item]
    return item


def average_linkage(
    means: Floats, weights: NDArray[np.float64], heartbeat: Callable[[], None]
) -> Dendrogram:
    """Joins items by the mean similarity of their groups (UPGMA), by nearest-neighbour chains.

    The mean scalar product of two groups is the scalar product of their weighted means. Source
    of the chains: Murtagh, "A survey of recent advances in hierarchical clustering algorithms",
    The Computer Journal 26 (1983).

    Args:
        means: The mean of each item's embeddings, of shape (items, dimensions); at least one.
        weights: The weight of each item, of shape (items,), above 0.
        heartbeat: Called every few hundred joins.
    """
    similarity = means @ means.T
    np.fill_diagonal(similarity, -np.inf)
    weights = weights.copy()
    chain: list[int] = []
    alive = np.ones(len(means), np.bool_)
    joins: list[tuple[int, int, float]] = []
    while len(joins) < len(means) - 1:
        if not chain:
            chain.append(int(np.argmax(alive)))
        nearest = _nearest(similarity[chain[-1]], chain)
        if len(chain) < 2 or nearest != chain[-2]:
            chain.append(nearest)
            continue
        one, other = chain.pop(), chain.pop()
        joins.append((one, other, float(similarity[one, other])))
        _join(similarity, weights, alive, one, other)
        if len(joins) % _HEARTBEAT_JOINS == 0:
            heartbeat()
    return _by_similarity(joins)


def _nearest(row: Floats, chain: list[int]) -> int:
    """The most similar group; the one before in the chain where it is as similar as any."""
    nearest = int(np.argmax(row))
    if len(chain) > 1 and row[chain[-2]] >= row[nearest]:
        return chain[-2]
    return nearest


def _join(
    similarity: Floats,
    weights: NDArray[np.float64],
    alive: NDArray[np.bool_],
    one: int,
    other: int,
) -> None:
    """Makes `one` the union of both, by the update of Lance and Williams."""
    total = weights[one] + weights[other]
    share = np.float32(weights[one] / total)
    joined = share * similarity[one] + (1 - share) * similarity[other]
    similarity[one], similarity[:, one] = joined, joined
    similarity[other], similarity[:, other] = -np.inf, -np.inf
    similarity[one, one] = -np.inf
    weights[one] = total
    alive[other] = False


def _by_similarity(joins: list[tuple[int, int, float]]) -> Dendrogram:
    pairs = np.array([join[:2] for join in joins], np.int64).reshape(-1, 2)
    similarity = np.array([join[2] for join in joins], np.float64)
    order = np.argsort(-similarity, kind="stable")
    return Dendrogram(joins=pairs[order], similarity=similarity[order])
