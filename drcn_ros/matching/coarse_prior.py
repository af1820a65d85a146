# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where to look at high resolution: probabilities of cell pairs from the cleaned coarse 4D correlation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import pad

from drcn_ros.networks.correlation import correlate, mutual_matching
from drcn_ros.networks.separable_consensus import SeparableConsensus

# The consensus runs on the correlation reduced by two along each axis: same matches, a sixteenth of the work.
POOL = 2
# Keeps the logarithm finite where all of a cell's probabilities vanish in float32.
_LEAST_SUM = 1e-30
# Entries of the correlation that stay in a processor's cache while they are summed.
_CACHED = 1 << 17


def coarse_logits(
    consensus: SeparableConsensus, reference: torch.Tensor, current: torch.Tensor
) -> torch.Tensor:
    """Return logits that two cells show the same place: correlation plus what its neighbourhood agrees on.

    Args:
        consensus: filter of the correlation.
        reference: (C, hA, wA) unit features.
        current: (C, hB, wB) unit features.

    Returns:
        (hA, wA, hB, wB).
    """
    correlation = correlate(reference[None], current[None])[0]
    return with_consensus(correlation, consensus, lambda pooled: mutual_matching(pooled[None])[0])


def with_consensus(
    correlation: torch.Tensor,
    consensus: SeparableConsensus,
    mutual: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Return the logits of a correlation (hA, wA, hB, wB), which is overwritten.

    Args:
        correlation: of unit features.
        consensus: filter of the correlation.
        mutual: the soft mutual filter of the pooled correlation, same shape, at least 0.
    """
    pooled = pooled_correlation(correlation)
    # This array is by far the largest of a match: it is never copied.
    logits = correlation.mul_(consensus.temperature)
    if pooled.numel():
        cleaned = consensus(mutual(pooled)[None, None])[0, 0] * consensus.gain
        enlarged = cleaned.repeat_interleave(POOL, dim=2).repeat_interleave(POOL, dim=3)
        rows, columns, height, width = (POOL * size for size in cleaned.shape)
        inner = logits[:rows, :columns, :height, :width]
        for row in range(POOL):
            inner[row::POOL].unfold(1, POOL, POOL).add_(enlarged[..., None])
    return logits


@dataclass(frozen=True)
class CoarsePrior:
    """How probable it is that two cells show the same place, as seen from either image.

    The best of the 3x3 cells around a cell of the other image counts: a point near a border may fall into
    either.

    Attributes:
        logits: (hA, wA, hB, wB).
        over_a, over_b: logarithms (hB wB,) and (hA wA,) of the sums of all likelihoods over an image.
    """

    logits: torch.Tensor
    over_a: torch.Tensor
    over_b: torch.Tensor

    @classmethod
    def of(cls, logits: torch.Tensor) -> CoarsePrior:
        """Sum the likelihoods of contiguous logits (hA, wA, hB, wB)."""
        matrix = logits.flatten(2).flatten(0, 1)
        rows, columns = matrix.shape
        largest = matrix.amax(dim=(0, 1))
        sum_a, sums_b = matrix.new_zeros(columns), []
        whole = torch.compiler.is_compiling() or matrix.device.type != "cpu"
        step = max(1, rows if whole else _CACHED // columns)
        for start in range(0, rows, step):
            likelihood = (matrix[start : start + step] - largest).exp_()
            sum_a = sum_a + likelihood.sum(dim=0)
            sums_b.append(likelihood.sum(dim=1))
        over_a, over_b = (total.clamp(min=_LEAST_SUM).log() + largest for total in (sum_a, torch.cat(sums_b)))
        return cls(logits, over_a, over_b)

    def exchanged(self) -> CoarsePrior:
        """Return the same with A and B in each other's place."""
        return CoarsePrior(self.logits.permute(2, 3, 0, 1), self.over_b, self.over_a)

    def rows(self, cells: torch.Tensor) -> torch.Tensor:
        """Return (N, hB wB) log-probabilities, at most 0, that flat cells (N,) of A match each cell of B."""
        columns = self.logits.shape[1]
        chosen = self.logits[cells // columns, cells % columns]
        own = self.over_b[cells][:, None, None]
        log_probability = chosen.mul_(2).sub_(own).sub_(self.over_a.view(chosen.shape[1:]))
        return _maximum_of_neighbours(log_probability).flatten(1)

    def pairs(self, cells_a: torch.Tensor, cells_b: torch.Tensor) -> torch.Tensor:
        """Return (N, M) log-probabilities, at most 0, that flat cells (N,) of A and (M,) of B match."""
        if cells_a.device.type != "cpu":
            # To make some rows twice costs less than to wait for the number of different ones.
            return self.rows(cells_a).index_select(1, cells_b)
        distinct, row_of_cell = torch.unique(cells_a, return_inverse=True)
        # Several times faster than subscripts.
        return self.rows(distinct).index_select(1, cells_b).index_select(0, row_of_cell)


def pooled_correlation(correlation: torch.Tensor) -> torch.Tensor:
    """Return the maxima over 2x2x2x2 cells, at least 0; a last odd row or column is left out."""
    inner = correlation[tuple(slice(size // POOL * POOL) for size in correlation.shape)]
    inner = torch.maximum(inner[0::POOL], inner[1::POOL])
    inner = torch.maximum(inner[:, 0::POOL], inner[:, 1::POOL])
    inner = torch.maximum(inner[:, :, 0::POOL], inner[:, :, 1::POOL])
    return torch.maximum(inner[..., 0::POOL], inner[..., 1::POOL]).relu()


def _maximum_of_neighbours(maps: torch.Tensor) -> torch.Tensor:
    """Return the maximum over 3x3 cells of (N, h, w) maps; slices are several times faster than pooling."""
    padded = pad(maps, (1, 1, 1, 1), value=-torch.inf)
    wide = torch.maximum(torch.maximum(padded[..., :-2], padded[..., 1:-1]), padded[..., 2:])
    return torch.maximum(torch.maximum(wide[:, :-2], wide[:, 1:-1]), wide[:, 2:])
