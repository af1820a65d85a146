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
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from drcn_ros.networks.fine_blocks import CELLS, FineBlocks, fine_cells
from drcn_ros.networks.masks import Masks

_TINY = 1e-30
# A product that is smaller by more than rounding.
_SURELY_LESS = 1 - 1e-5
# Least share of the largest number of windows that is searched together with it.
_ALIKE = 0.8
# From this share of open windows on, they are first looked at through the sketch.
_FLAT = 1 / 8
# Least share of the groups for which making a sketch pays.
_OFTEN = 1 / 4
# From this share of all windows on, one product with all of them costs less than gathering these.
_MANY = 1 / 3
# Groups that are tried before masks count as too flat to prune, and those then searched without trying,
# which double each time that masks stay flat.
_TRIED = 16
_UNTRIED = 128
# Floats of features searched at once, and on a CPU gathered at once, and of scores with a whole image.
_BLOCK = 1 << 24
_GATHERED_AT_ONCE = 1 << 18
_SCORES_AT_ONCE = 1 << 24


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
        best = _look(features, target, masks.shares, rows, windows)
        if options.exact:
            best, dense = _look_further(features, target, masks.shares, rows, windows, best, wanted[chunk])
            flat = 2 * dense > len(rows)
        found[chunk], products[chunk] = best.cells, best.products
        start = chunk.stop
        if flat:
            chunk = slice(start, start + untried)
            untried *= 2
            rows = masks.rows[masks.corners(cells[chunk])]
            best = _look_everywhere(source.values[cells[chunk]], target, masks.shares, rows, wanted[chunk])
            found[chunk], products[chunk] = best.cells, best.products
            start = chunk.stop
    measures = (products * scales)[group, place]
    return torch.where(measures != 0, found[group, place], 0), measures


@dataclass(frozen=True)
class _Best:
    """Best fine cell and its product so far, both (N, 16), for the fine cells of N coarse cells."""

    cells: torch.Tensor
    products: torch.Tensor


def _look(
    features: torch.Tensor,
    target: FineBlocks,
    shares: torch.Tensor,
    rows: torch.Tensor,
    windows: torch.Tensor,
) -> _Best:
    """Correlate (N, 16, C) features with all fine cells of coarse cells `windows` (N, K).

    `rows` (N, 4, cells) of the correlation lie at the corners of the N coarse cells.
    """
    cosines = _cosines(features, target, windows)
    mask = rows.gather(2, windows[:, None].expand(-1, 4, -1)).transpose(1, 2) @ shares.T
    products, window = (mask * cosines.amax(dim=2)).max(dim=1)
    number = torch.arange(len(features), device=features.device)[:, None]
    place = cosines[number, window, :, torch.arange(CELLS, device=features.device)].argmax(dim=2)
    return _Best(target.number(windows.gather(1, window), place), products)


def _cosines(features: torch.Tensor, target: FineBlocks, windows: torch.Tensor) -> torch.Tensor:
    """Return (N, K, 16, 16) dot products of the fine cells of windows (N, K) with features (N, 16, C)."""
    number, count = windows.shape
    channels = features.shape[2]
    cosines = features.new_empty(number, count * CELLS, CELLS)
    # What is gathered must still be in the cache when it is multiplied.
    block = _GATHERED_AT_ONCE if features.device.type == "cpu" else _BLOCK
    step = min(max(1, block // (count * CELLS * channels)), number)
    gathered = features.new_empty(step * count, CELLS, channels)
    columns = features.transpose(1, 2).contiguous()
    for start in range(0, number, step):
        part = windows[start : start + step].flatten()
        others = torch.index_select(target.values, 0, part, out=gathered[: len(part)])
        others = others.view(-1, count * CELLS, channels)
        torch.bmm(others, columns[start : start + step], out=cosines[start : start + step])
    return cosines.view(number, count, CELLS, CELLS)


def _look_further(
    features: torch.Tensor,
    target: FineBlocks,
    shares: torch.Tensor,
    rows: torch.Tensor,
    windows: torch.Tensor,
    best: _Best,
    wanted: torch.Tensor,
) -> tuple[_Best, int]:
    """Correlate with every other coarse cell whose mask is above the best product of a wanted query.

    Returns:
        The best, and of how many coarse cells the fine cells had to be compared with the whole image.
    """
    rest = rows.scatter(2, windows[:, None].expand(-1, 4, -1), 0)
    # Shares of the corners relative to what is to be beaten: a mask above 1 may do so.
    relative = wanted[:, :, None] * shares / best.products.clamp(min=_TINY)[:, :, None]
    doubtful = torch.nonzero((relative @ rest.amax(dim=2)[:, :, None]).amax(dim=(1, 2)) > _SURELY_LESS)[:, 0]
    promise = (relative[doubtful] @ rest[doubtful]).amax(dim=1)
    left = (promise > _SURELY_LESS).sum(dim=1)
    # Where masks are flat, 1 is too weak a bound of the cosine.
    flat = torch.nonzero(left > _FLAT * len(target.values))[:, 0]
    if len(flat) >= _OFTEN * len(left):
        chosen = doubtful[flat]
        promise[flat] = _bounds(features[chosen], target, relative[chosen], rest[chosen], wanted[chosen])
        left = (promise > _SURELY_LESS).sum(dim=1)
    cells, products = best.cells.clone(), best.products.clone()
    order = left.argsort(descending=True)
    many = int((left > _MANY * len(target.values)).sum())
    # Most have few cells left, some have many: those with like numbers are searched together.
    order = order[: int((left > 0).sum())]
    if many:
        chosen = doubtful[order[:many]]
        found = _look_everywhere(features[chosen], target, shares, rows[chosen], wanted[chosen])
        cells[chosen], products[chosen] = found.cells, found.products
        order = order[many:]
    while len(order):
        count = int(left[order[0]])
        size = int((left[order] >= _ALIKE * count).sum())
        now, order = order[:size], order[size:]
        chosen = doubtful[now]
        found = _look(features[chosen], target, shares, rows[chosen], promise[now].topk(count).indices)
        better = found.products > products[chosen]
        cells[chosen] = torch.where(better, found.cells, cells[chosen])
        products[chosen] = torch.where(better, found.products, products[chosen])
    return _Best(cells, products), many


def _bounds(
    features: torch.Tensor,
    target: FineBlocks,
    relative: torch.Tensor,
    rows: torch.Tensor,
    wanted: torch.Tensor,
) -> torch.Tensor:
    """Return (N, cells): what the products of wanted queries with coarse cells never exceed."""
    bounds = torch.empty_like(rows[:, 0])
    for chunk, group, place in _wanted_chunks(wanted, target):
        masks = relative[chunk] @ rows[chunk]
        masks[group, place] *= target.sketch.bounds(features[chunk][group, place])
        bounds[chunk] = masks.amax(dim=1)
    return bounds


def _look_everywhere(
    features: torch.Tensor, target: FineBlocks, shares: torch.Tensor, rows: torch.Tensor, wanted: torch.Tensor
) -> _Best:
    """Correlate the wanted of (N, 16, C) features with all fine cells of the target; others find nothing."""
    others = target.values.flatten(0, 1).T
    cells = torch.zeros_like(wanted, dtype=torch.int64)
    products = torch.zeros_like(rows[:, 0, :1]).expand(-1, CELLS).clone()
    for chunk, group, place in _wanted_chunks(wanted, target):
        cosines = (features[chunk][group, place] @ others).view(len(group), -1, CELLS)
        masks = (shares @ rows[chunk])[group, place]
        product, window = masks.mul_(cosines.amax(dim=2)).max(dim=1)
        inside = cosines[torch.arange(len(group), device=group.device), window].argmax(dim=1)
        cells[chunk][group, place] = target.number(window, inside)
        products[chunk][group, place] = product
    return _Best(cells, products)


def _wanted_chunks(
    wanted: torch.Tensor, target: FineBlocks
) -> Iterator[tuple[slice, torch.Tensor, torch.Tensor]]:
    """Yield slices of the N groups of 16, and within each the group and place of those that are wanted."""
    size = max(1, _SCORES_AT_ONCE // (CELLS * CELLS * len(target.values)))
    for start in range(0, len(wanted), size):
        chunk = slice(start, start + size)
        group, place = torch.nonzero(wanted[chunk], as_tuple=True)
        yield chunk, group, place
