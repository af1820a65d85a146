# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN straight from its definitions: what tests and the benchmark compare the fast forms with."""

from __future__ import annotations

import torch
from torch.nn import functional

from drcn_ros.networks.consensus import NeighbourhoodConsensus
from drcn_ros.networks.fine_blocks import RATIO
from drcn_ros.networks.fine_search import SearchResult, select_queries
from drcn_ros.networks.masks import mask_rows

# Rows of the dense score matrix that are held at once; the reference's number.
_ROWS = 1000


def conv4d(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Cross-correlate in four dimensions with zero padding, as a loop of 3D convolutions over the first axis.

    Args:
        inputs: (B, C, hA, wA, hB, wB).
        weight: (out, C, k, k, k, k).
        bias: (out,).
    """
    size = weight.shape[2]
    pad = size // 2
    rows = functional.pad(inputs, (0, 0) * 3 + (pad, pad)).unbind(dim=2)
    return torch.stack(
        [
            sum(functional.conv3d(rows[row + tap], weight[:, :, tap], padding=pad) for tap in range(size))
            + bias.view(1, -1, 1, 1, 1)
            for row in range(inputs.shape[2])
        ],
        dim=2,
    )


def consensus(network: NeighbourhoodConsensus, correlation: torch.Tensor) -> torch.Tensor:
    """Return what `network(correlation)` returns, with transposed copies for the symmetric branch."""

    def branch(values: torch.Tensor) -> torch.Tensor:
        values = values.unsqueeze(1)
        for weight, bias in zip(network.weights, network.biases, strict=True):
            values = functional.relu(conv4d(values, weight, bias))
        return values.squeeze(1)

    cleaned = branch(correlation)
    if network.symmetric:
        cleaned = cleaned + branch(correlation.permute(0, 3, 4, 1, 2)).permute(0, 3, 4, 1, 2)
    return cleaned


def search(
    fine_a: torch.Tensor, fine_b: torch.Tensor, correlation: torch.Tensor, query_share: float
) -> SearchResult:
    """Return what `fine_search.search` returns, from scores of every query with all cells of the other."""
    queries = select_queries(correlation, query_share)
    targets, forward = dense_targets(fine_a, fine_b, correlation, queries)
    sources, backward = dense_targets(fine_b, fine_a, correlation.permute(2, 3, 0, 1), targets)
    return SearchResult(queries, targets, forward, sources, backward)


def dense_targets(
    source: torch.Tensor, target: torch.Tensor, correlation: torch.Tensor, queries: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the best fine cell of the target for each query (Q,), and its measure, from dense rows."""
    width = source.shape[2]
    features, others = source.flatten(1), target.flatten(1)
    cells, measures = [], []
    for start in range(0, len(queries), _ROWS):
        some = queries[start : start + _ROWS]
        positions = torch.stack([some % width, some // width], dim=1) / RATIO
        masks = mask_rows(correlation, positions)
        masks = masks.repeat_interleave(RATIO, dim=1).repeat_interleave(RATIO, dim=2).flatten(1)
        best, cell = (masks * (features[:, some].T @ others)).max(dim=1)
        cells.append(cell)
        measures.append(best)
    return torch.cat(cells), torch.cat(measures)
