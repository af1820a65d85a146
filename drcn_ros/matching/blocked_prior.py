# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The coarse prior of large images, whose 4D correlation is made block by block and never kept.

A block is a rectangle of A's cells with all of B. It is made anew for each question: once for what the soft
mutual filter needs to know of the whole correlation, once for the sums of the likelihoods, once for the rows
asked for. The consensus looks as many cells beyond a block as it has layers, and finds what it finds in the
whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from drcn_ros.matching.coarse_prior import (
    POOL,
    CoarsePrior,
    coarse_logits,
    pooled_correlation,
    with_consensus,
)
from drcn_ros.networks.correlation import correlate, damped
from drcn_ros.networks.separable_consensus import SeparableConsensus

# Entries of the largest correlation that is made as a whole: two images of 1280x1280 pixels.
LARGEST_WHOLE = 6400**2
# Entries of the correlation that are worked on at once, and least side of a block without what surrounds it.
_BLOCK = 1 << 25
_LEAST_SIDE = 8


def coarse_prior(
    consensus: SeparableConsensus, reference: torch.Tensor, current: torch.Tensor
) -> CoarsePrior | BlockedPrior:
    """Return the prior of two images from their unit features, see `coarse_logits`; A is the reference."""
    if reference[0].numel() * current[0].numel() <= LARGEST_WHOLE:
        return CoarsePrior.of(coarse_logits(consensus, reference, current))
    return BlockedPrior.of(consensus, reference, current)


@dataclass(frozen=True)
class _Block:
    """Cells of A: rows and columns of a rectangle, and of one that holds what the consensus looks at as well.

    Attributes:
        rows, columns: (start, stop) of the rectangle.
        top, bottom, left, right: of the larger one.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    top: int
    bottom: int
    left: int
    right: int

    def holds(self, cells: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return which of flat cells (N,) of a grid lie in the rectangle, and their flat cells there."""
        y, x = cells // width - self.rows[0], cells % width - self.columns[0]
        height, own_width = (stop - start for start, stop in (self.rows, self.columns))
        index = ((y >= 0) & (y < height) & (x >= 0) & (x < own_width)).nonzero()[:, 0]
        return index, y[index] * own_width + x[index]


@dataclass(frozen=True)
class BlockedPrior:
    """What `CoarsePrior` tells, without its logits.

    Attributes:
        consensus: filter of the correlation.
        a, b: (C, hA, wA) and (C, hB, wB) unit features.
        best_of_a, best_of_b: (hA // 2, wA // 2) and (hB // 2, wB // 2) largest entry of each cell of the
            pooled correlation.
        over_a, over_b: as in `CoarsePrior`.
    """

    consensus: SeparableConsensus
    a: torch.Tensor
    b: torch.Tensor
    best_of_a: torch.Tensor
    best_of_b: torch.Tensor
    over_a: torch.Tensor
    over_b: torch.Tensor

    @classmethod
    def of(cls, consensus: SeparableConsensus, a: torch.Tensor, b: torch.Tensor) -> BlockedPrior:
        """Look at the correlation of unit features (C, hA, wA) and (C, hB, wB) twice."""
        best_of_a, best_of_b = (map_.new_zeros([side // POOL for side in map_.shape[1:]]) for map_ in (a, b))
        for block in _blocks(a, b, 0):
            pooled = pooled_correlation(_correlation(a, b, block))
            if pooled.numel():
                _pooled_part(best_of_a, block).copy_(pooled.amax(dim=(2, 3)))
                torch.maximum(best_of_b, pooled.amax(dim=(0, 1)), out=best_of_b)
        over_a = a.new_full((b[0].numel(),), -torch.inf)
        over_b = a.new_zeros(a.shape[1:])
        found = cls(consensus, a, b, best_of_a, best_of_b, over_a, over_b.view(-1))
        for block in _blocks(a, b, found._halo):
            part = CoarsePrior.of(found._logits(block))
            torch.logaddexp(over_a, part.over_a, out=over_a)
            inside = over_b[slice(*block.rows), slice(*block.columns)]
            inside.copy_(part.over_b.view(inside.shape))
        return found

    def exchanged(self) -> BlockedPrior:
        """Return the same with A and B in each other's place."""
        return BlockedPrior(
            self.consensus, self.b, self.a, self.best_of_b, self.best_of_a, self.over_b, self.over_a
        )

    def rows(self, cells: torch.Tensor) -> torch.Tensor:
        """Return what `CoarsePrior.rows` returns."""
        rows = self.over_a.new_empty(len(cells), len(self.over_a))
        for index, inside, part in self._parts(cells):
            rows[index] = part.rows(inside)
        return rows

    def pairs(self, cells_a: torch.Tensor, cells_b: torch.Tensor) -> torch.Tensor:
        """Return what `CoarsePrior.pairs` returns."""
        table = self.over_a.new_empty(len(cells_a), len(cells_b))
        for index, inside, part in self._parts(cells_a):
            table[index] = part.pairs(inside, cells_b)
        return table

    def _parts(self, cells: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor, CoarsePrior]]:
        """Yield which of the cells lie in a block, as what cells of it, and the prior of the block."""
        over_b = self.over_b.view(self.a.shape[1:])
        for block in _blocks(self.a, self.b, self._halo):
            index, inside = block.holds(cells, self.a.shape[2])
            if len(index):
                own = over_b[slice(*block.rows), slice(*block.columns)].flatten()
                yield index, inside, CoarsePrior(self._logits(block), self.over_a, own)

    @property
    def _halo(self) -> int:
        return POOL * len(self.consensus.layers)

    def _logits(self, block: _Block) -> torch.Tensor:
        best_of_a, best_of_b = _pooled_part(self.best_of_a, block), self.best_of_b

        def mutual(pooled: torch.Tensor) -> torch.Tensor:
            matrix = pooled.flatten(2).flatten(0, 1)
            return damped(matrix, best_of_a.reshape(-1, 1), best_of_b.view(1, -1)).view(pooled.shape)

        logits = with_consensus(_correlation(self.a, self.b, block), self.consensus, mutual)
        (top, bottom), (left, right) = block.rows, block.columns
        return logits[
            top - block.top : bottom - block.top, left - block.left : right - block.left
        ].contiguous()


def _pooled_part(values: torch.Tensor, block: _Block) -> torch.Tensor:
    """Return the part of pooled cells (hA // 2, wA // 2) that a block looks at."""
    return values[block.top // POOL : block.bottom // POOL, block.left // POOL : block.right // POOL]


def _correlation(a: torch.Tensor, b: torch.Tensor, block: _Block) -> torch.Tensor:
    part = a[:, block.top : block.bottom, block.left : block.right]
    return correlate(part[None], b[None])[0]


def _blocks(a: torch.Tensor, b: torch.Tensor, halo: int) -> Iterator[_Block]:
    """Yield the blocks of A, with `halo` cells around each where there are any."""
    side = max((math.isqrt(_BLOCK // b[0].numel()) - 2 * halo) // POOL * POOL, _LEAST_SIDE)
    height, width = a.shape[1:]
    for rows in _spans(height, side):
        for columns in _spans(width, side):
            yield _Block(
                rows,
                columns,
                max(rows[0] - halo, 0),
                min(rows[1] + halo, height),
                max(columns[0] - halo, 0),
                min(columns[1] + halo, width),
            )


def _spans(size: int, most: int) -> list[tuple[int, int]]:
    """Return a side cut into nearly equal parts that begin at even cells."""
    step = -(-math.ceil(size / math.ceil(size / most)) // POOL) * POOL
    return [(start, min(start + step, size)) for start in range(0, size, step)]
