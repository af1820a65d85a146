# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where to look at high resolution: probabilities of cell pairs from the cleaned coarse 4D correlation."""

from __future__ import annotations

import torch
from torch.nn.functional import pad

from drcn_ros.networks.correlation import correlate, mutual_matching
from drcn_ros.networks.separable_consensus import SeparableConsensus

# The consensus runs on the correlation reduced by two along each axis: same matches, a sixteenth of the work.
_POOL = 2
# Keeps the logarithm finite where all of a cell's probabilities vanish in float32.
_LEAST_SUM = 1e-30


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
    logits = consensus.temperature * correlation
    pooled = _pooled(correlation)
    if pooled.numel():
        cleaned = consensus(mutual_matching(pooled.relu()[None])[None])[0, 0] * consensus.gain
        enlarged = cleaned.repeat_interleave(_POOL, dim=2).repeat_interleave(_POOL, dim=3)
        rows, columns, height, width = (_POOL * size for size in cleaned.shape)
        inner = logits[:rows, :columns, :height, :width]
        for row in range(_POOL):
            inner[row::_POOL].unfold(1, _POOL, _POOL).add_(enlarged[..., None])
    return logits


def pair_log_probability(
    logits: torch.Tensor, reference_cells: torch.Tensor, current_cells: torch.Tensor
) -> torch.Tensor:
    """Return (N, M) log-probabilities, at most 0, that two cells match, as seen from either image.

    Args:
        logits: (hA, wA, hB, wB).
        reference_cells: (N,) flat cells of A.
        current_cells: (M,) flat cells of B.
    """
    rows, row_of_point = torch.unique(reference_cells, return_inverse=True)
    # Several times faster than subscripts.
    return row_log_probability(logits, rows).index_select(1, current_cells).index_select(0, row_of_point)


def row_log_probability(logits: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """Return (N, hB wB) log-probabilities, at most 0, that cells (N,) of A match each cell of B.

    The best of the 3x3 cells around a cell of B counts: a point near a border may fall into either.
    """
    height, width = logits.shape[2:]
    matrix = logits.reshape(-1, height * width)
    largest = matrix.amax(dim=(0, 1))
    likelihood = (matrix - largest).exp_()
    over_a = likelihood.sum(dim=0).clamp_(min=_LEAST_SUM).log_() + largest
    over_b = likelihood.sum(dim=1).clamp_(min=_LEAST_SUM).log_() + largest
    log_probability = matrix.index_select(0, cells).mul_(2).sub_(over_b[cells, None]).sub_(over_a)
    return _maximum_of_neighbours(log_probability.view(-1, height, width)).flatten(1)


def _pooled(correlation: torch.Tensor) -> torch.Tensor:
    """Return the maxima over 2x2x2x2 cells; a last odd row or column is left out."""
    inner = correlation[tuple(slice(size // _POOL * _POOL) for size in correlation.shape)]
    inner = torch.maximum(inner[0::_POOL], inner[1::_POOL])
    inner = torch.maximum(inner[:, 0::_POOL], inner[:, 1::_POOL])
    inner = torch.maximum(inner[:, :, 0::_POOL], inner[:, :, 1::_POOL])
    return torch.maximum(inner[..., 0::_POOL], inner[..., 1::_POOL])


def _maximum_of_neighbours(maps: torch.Tensor) -> torch.Tensor:
    """Return the maximum over 3x3 cells of (N, h, w) maps; slices are several times faster than pooling."""
    padded = pad(maps, (1, 1, 1, 1), value=-torch.inf)
    wide = torch.maximum(torch.maximum(padded[..., :-2], padded[..., 1:-1]), padded[..., 2:])
    return torch.maximum(torch.maximum(wide[:, :-2], wide[:, 1:-1]), wide[:, 2:])
