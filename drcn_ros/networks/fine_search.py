# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN's second level: fine correlation where the cleaned coarse correlation leads (DRCN, section 3.2).

The measure of a pair of fine cells is a mask, the coarse correlation interpolated at the source cell and
divided by its sum, times the cosine of the fine features. As a cosine is at most 1, a coarse target cell
cannot hold the best target if its mask is below a product that was already found. So the cells with the
largest masks are correlated first, and then only those whose masks are above the best product. The result is
that of the dense search.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from drcn_ros.networks.fine_blocks import CELLS, FineBlocks, fine_cells
from drcn_ros.networks.masks import Masks
from drcn_ros.networks.window_search import look, look_everywhere, look_further

# Groups that are tried before masks count as too flat to prune, and those then searched without trying,
# which double each time that masks stay flat.
_TRIED = 16
_UNTRIED = 128
# Floats of features searched at once.
_BLOCK = 1 << 24


@dataclass(frozen=True)
class SearchOptions:
    """How the fine level is searched.

    Attributes:
        query_share: share of A's coarse cells, by their best correlation, whose fine cells are queries.
        windows: coarse cells of the other image that each query looks into first.
        exact: False takes the best of these windows as it is.
    """

    query_share: float = 0.5
    windows: int = 16
    exact: bool = True


@dataclass(frozen=True)
class SearchResult:
    """What the search of Q queries found, by fine cell numbers; not yet tested for mutual agreement.

    Attributes:
        queries: (Q,) cells of A.
        targets: (Q,) best cell of B for each query.
        forward: (Q,) its measure.
        sources: (Q,) best cell of A for each target.
        backward: (Q,) its measure.
    """

    queries: torch.Tensor
    targets: torch.Tensor
    forward: torch.Tensor
    sources: torch.Tensor
    backward: torch.Tensor

    def mutual(self) -> SearchResult:
        """Return the queries that their target finds again, best sum of both measures first.

        A measure of 0 means that the mask was empty, as always in the first cell; such pairs are left out.
        """
        score = self.forward + self.backward
        kept = torch.nonzero((self.sources == self.queries) & (score > 0))[:, 0]
        kept = kept[score[kept].argsort(descending=True, stable=True)]
        return SearchResult(
            self.queries[kept],
            self.targets[kept],
            self.forward[kept],
            self.sources[kept],
            self.backward[kept],
        )


def search(
    fine_a: torch.Tensor, fine_b: torch.Tensor, correlation: torch.Tensor, options: SearchOptions
) -> SearchResult:
    """Search the best target of the most promising fine cells, and from there back.

    Args:
        fine_a: (C, 4 hA, 4 wA) features no longer than 1.
        fine_b: (C, 4 hB, 4 wB) likewise.
        correlation: (hA, wA, hB, wB), at least 0.
        options: how to search.
    """
    blocks_a, blocks_b = FineBlocks.of(fine_a), FineBlocks.of(fine_b)
    queries = select_queries(correlation, options.query_share)
    targets, forward = best_targets(blocks_a, blocks_b, correlation, queries, options)
    distinct, number = torch.unique(targets, return_inverse=True)
    back = correlation.permute(2, 3, 0, 1).contiguous()
    sources, backward = best_targets(blocks_b, blocks_a, back, distinct, options)
    return SearchResult(queries, targets, forward, sources[number], backward[number])


def select_queries(correlation: torch.Tensor, share: float) -> torch.Tensor:
    """Return the fine cells of the coarse cells of A with the largest best correlation, ordered by number."""
    height, width = correlation.shape[:2]
    best = correlation.flatten(2).amax(dim=2).flatten()
    kept = best.topk(math.floor(share * height * width)).indices
    return fine_cells(kept, width).flatten().sort().values


def best_targets(
    source: FineBlocks,
    target: FineBlocks,
    correlation: torch.Tensor,
    queries: torch.Tensor,
    options: SearchOptions,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the best fine cell of the target for each query, and its measure.

    A query with an empty mask gets cell 0 and measure 0.

    Args:
        source: features of the queries' image.
        target: features of the other image.
        correlation: (source rows, source columns, target rows, target columns), at least 0.
        queries: (Q,) fine cells of the source.
        options: how to search.
    """
    masks = Masks(correlation)
    coarse, place = source.locate(queries)
    # Neighbouring queries look into the same windows: the fine cells of a coarse cell are searched together.
    cells, group = torch.unique(coarse, return_inverse=True)
    scales = masks.scales(cells)
    wanted = torch.zeros(len(cells), CELLS, dtype=torch.bool, device=queries.device)
    wanted[group, place] = True
    found = torch.zeros_like(wanted, dtype=torch.int64)
    products = torch.zeros_like(scales)
    count = min(options.windows, len(target.values))
    most = max(1, _BLOCK // (count * target.values[0].numel()))
    start, flat, untried = 0, options.exact, _UNTRIED
    while start < len(cells):
        # Pruning that fails costs more than it saves: a few groups tell whether it is worth trying on.
        chunk = slice(start, start + (min(_TRIED, most) if flat else most))
        rows = masks.rows[masks.corners(cells[chunk])]
        windows = rows.amax(dim=1).topk(count).indices
        features = source.values[cells[chunk]]
        best = look(features, target, masks.shares, rows, windows)
        if options.exact:
            best, dense = look_further(features, target, masks.shares, rows, windows, best, wanted[chunk])
            flat = 2 * dense > len(rows)
        found[chunk], products[chunk] = best.cells, best.products
        start = chunk.stop
        if flat:
            chunk = slice(start, start + untried)
            untried *= 2
            rows = masks.rows[masks.corners(cells[chunk])]
            best = look_everywhere(source.values[cells[chunk]], target, masks.shares, rows, wanted[chunk])
            found[chunk], products[chunk] = best.cells, best.products
            start = chunk.stop
    measures = (products * scales)[group, place]
    return torch.where(measures != 0, found[group, place], 0), measures
