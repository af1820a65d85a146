# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Mutual nearest neighbours of two descriptor sets, in blocks, so that memory does not grow with N x M."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from drcn_ros.matching.filling import shut_out

# Entries of one block of the similarity matrix: 16 MiB in float32, small enough for every machine.
BLOCK_ENTRIES = 1 << 22


@dataclass(frozen=True)
class MutualPairs:
    """Pairs that are each other's best, in the order of the reference index.

    Attributes:
        reference_index: (M,) int64.
        current_index: (M,) int64.
        value: (M,) similarity of the pair.
        second_value: (M,) similarity of the reference point's second best; -inf where there is none.
        confidence: (M,) in [0, 1], geometric mean of the pair's softmax over its row and over its column.
    """

    reference_index: torch.Tensor
    current_index: torch.Tensor
    value: torch.Tensor
    second_value: torch.Tensor
    confidence: torch.Tensor

    def __len__(self) -> int:
        return len(self.value)

    def select(self, mask: torch.Tensor) -> MutualPairs:
        """Return the pairs for which `mask` holds."""
        return MutualPairs(
            self.reference_index[mask],
            self.current_index[mask],
            self.value[mask],
            self.second_value[mask],
            self.confidence[mask],
        )


@dataclass(frozen=True)
class Extremes:
    """What mutual maxima and their confidence need of a similarity matrix (N, M).

    Attributes:
        best, index: (N,) largest entry of each row, and its column, the first of equal ones.
        second: (N,) largest entry but that one; -inf where it is not known.
        row_sum: (N,) logarithm of the sum of the exponentials of a row.
        column_best, column_sum: (M,) the same of each column.
    """

    best: torch.Tensor
    index: torch.Tensor
    second: torch.Tensor
    row_sum: torch.Tensor
    column_best: torch.Tensor
    column_sum: torch.Tensor

    def pairs(self) -> tuple[MutualPairs, torch.Tensor]:
        """Return each row's best pair (N,), and for which of them (N,) it is the column's best, too."""
        rows, index = len(self.best), self.index
        confidence = (self.best - 0.5 * (self.row_sum + self.column_sum[index])).exp()
        reference = torch.arange(rows, device=index.device)
        largest_of_column = self.best == self.column_best[index]
        first = torch.full((len(self.column_best),), rows, device=index.device)
        first.scatter_reduce_(0, index, torch.where(largest_of_column, reference, rows), "amin")
        pairs = MutualPairs(reference, index, self.best, self.second, confidence)
        return pairs, first[index] == reference


def mutual_pairs(
    similarity: Callable[[int, int], torch.Tensor], rows: int, columns: int, device: torch.device
) -> MutualPairs:
    """Return the mutual maxima of a similarity matrix that is given block by block.

    Of equal entries the one with the lowest reference index wins in a column. `confidence` takes the
    entries as logits.

    Args:
        similarity: gives the rows [start, stop) of the matrix, float (stop - start, columns), which are
            then overwritten.
        rows: number of reference points.
        columns: number of current points.
        device: where the blocks are.
    """
    best, mutual = best_pairs(similarity, rows, columns, device)
    return best.select(mutual)


def best_pairs(
    similarity: Callable[[int, int], torch.Tensor], rows: int, columns: int, device: torch.device
) -> tuple[MutualPairs, torch.Tensor]:
    """Return each row's best pair (rows,), and for which of them (rows,) it is the column's best, too.

    The same as `mutual_pairs` in sizes that do not depend on the values.
    """
    if rows == 0 or columns == 0:
        index = torch.zeros(0, dtype=torch.int64, device=device)
        value = torch.zeros(0, device=device)
        return MutualPairs(index, index, value, value, value), torch.zeros(0, dtype=torch.bool, device=device)
    return extremes(similarity, rows, columns, device).pairs()


def extremes(
    similarity: Callable[[int, int], torch.Tensor], rows: int, columns: int, device: torch.device
) -> Extremes:
    """Return the extremes of a matrix with at least one entry, given as for `mutual_pairs`."""
    step = max(1, BLOCK_ENTRIES // columns)
    row_parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]] = []
    column_best = torch.full((columns,), -torch.inf, device=device)
    column_sum = torch.full((columns,), -torch.inf, device=device)
    for start in range(0, rows, step):
        block = similarity(start, min(start + step, rows)).float()
        index = _first_largest(block)
        best = block.gather(1, index[:, None])[:, 0]
        block_best = block.amax(dim=0)
        column_best = torch.maximum(column_best, block_best)
        # One exponential serves both sums; what vanishes in a column's is made up for by its best.
        largest = best.amax()
        shares = (block - best[:, None]).exp_()
        logarithm = (torch.exp(best - largest) @ shares).log_() + largest
        column_sum = torch.logaddexp(column_sum, torch.maximum(logarithm, block_best))
        second = block.scatter_(1, index[:, None], -torch.inf).amax(dim=1)
        row_parts.append((best, index, second, best + shares.sum(dim=1).log_()))
    best, index, second, row_sum = (torch.cat(part) for part in zip(*row_parts, strict=True))
    return Extremes(best, index, second, row_sum, column_best, column_sum)


def _first_largest(block: torch.Tensor) -> torch.Tensor:
    """Return the column of each row's largest entry, the first of equal ones."""
    if block.device.type == "cpu":
        # torch's own takes ten times as long here.
        return torch.from_numpy(block.numpy().argmax(axis=1))
    return block.argmax(dim=1)


def mutual_nearest(
    reference: torch.Tensor,
    current: torch.Tensor,
    *,
    ratio: float | None = None,
    min_similarity: float | None = None,
    temperature: float = 1.0,
) -> MutualPairs:
    """Return the rows of `best_nearest` that its mask tells."""
    nearest, mutual = best_nearest(
        reference, current, ratio=ratio, min_similarity=min_similarity, temperature=temperature
    )
    return nearest.select(mutual)


def best_nearest(
    reference: torch.Tensor,
    current: torch.Tensor,
    *,
    ratio: float | None = None,
    min_similarity: float | None = None,
    temperature: float = 1.0,
    real: tuple[torch.Tensor | None, torch.Tensor | None] = (None, None),
) -> tuple[MutualPairs, torch.Tensor]:
    """Return each reference descriptor's nearest, `value` the cosine, and which (N,) are mutual neighbours.

    Args:
        reference: (N, C) descriptors of unit length.
        current: (M, C) descriptors of unit length.
        ratio: when given, the distance to the nearest must be below `ratio` times that to the second.
        min_similarity: when given, the least cosine.
        temperature: factor that makes the cosines the logits of `confidence`.
        real: (N,) and (M,) bool, which descriptors take part, or None for all.
    """
    scaled = reference * temperature
    rows, columns = real

    def logits(start: int, stop: int) -> torch.Tensor:
        return shut_out(scaled[start:stop] @ current.T, None if rows is None else rows[start:stop], columns)

    pairs, mutual = best_pairs(logits, len(reference), len(current), reference.device)
    pairs = MutualPairs(
        pairs.reference_index,
        pairs.current_index,
        pairs.value / temperature,
        pairs.second_value / temperature,
        pairs.confidence,
    )
    if ratio is not None:
        mutual = mutual & (distance_ratio_squared(pairs) < ratio * ratio)
    if min_similarity is not None:
        mutual = mutual & (pairs.value >= min_similarity)
    return pairs, mutual


def distance_ratio_squared(pairs: MutualPairs) -> torch.Tensor:
    """Return (M,) squared ratio of the distances to the nearest and to the second nearest."""
    nearest = (1 - pairs.value).clamp(min=0)
    second = (1 - pairs.second_value).clamp(min=0)
    # Two equal distances of zero are as ambiguous as any two equal distances.
    return torch.where(second > 0, nearest / second, torch.ones_like(nearest))
