# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN's second level: fine correlation where the cleaned coarse correlation leads (DRCN, section 3.2).

The measure of a pair of fine cells is a mask, the coarse correlation interpolated at the source cell and
divided by its sum, times the cosine of the fine features. As a cosine is at most 1, a coarse target cell
cannot hold the best target if its mask is below a product that was already found. So the cells with the
largest masks are correlated first, and then only those whose masks are above the best product. The result is
that of the dense search.

Fine cells are numbered row by row. Fine cell (x, y) lies in coarse cell (x // 4, y // 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch

# Fine cells per coarse cell, along one axis and in all.
RATIO = 4
_CELLS = RATIO * RATIO
_SUM_FLOOR = 1e-15
_TINY = 1e-30
# A product that is smaller by more than rounding.
_SURELY_LESS = 1 - 1e-5
# Least share of the largest number of windows that is searched together with it.
_ALIKE = 0.8
# Components per component of a sketch, and what keeps its bound above rounding.
_SKETCHED = 8
_ROUNDING = 1e-6
# From this share of open windows on, they are first looked at through the sketch.
_FLAT = 1 / 8
# Least share of the groups for which making a sketch pays.
_OFTEN = 1 / 4
# From this share of all windows on, one product with all of them costs less than gathering these.
_MANY = 1 / 3
# Floats of features searched at once, and on a CPU gathered at once.
_BLOCK = 1 << 24
# Groups of 16 queries that are compared with a whole image at once.
_DENSE_GROUPS = 8
_GATHERED_AT_ONCE = 1 << 18


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


def mask_rows(correlation: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Return (N, hB, wB) masks for positions (N, 2), x and y in coarse cells of A; differentiable.

    The correlation (hA, wA, hB, wB) is interpolated between four cells, the last row and column continued. As
    in the reference, a map is halved where x or y is 0 and vanishes where both are, then divided by its sum.
    """
    height, width = correlation.shape[:2]
    low = positions.floor().long()
    part_x, part_y = (positions - low).to(correlation.dtype)[:, :, None, None].unbind(dim=1)
    limit = low.new_tensor([width - 1, height - 1])
    (x, y), (right, below) = low.minimum(limit).T, (low + 1).minimum(limit).T
    upper = (1 - part_x) * correlation[y, x] + part_x * correlation[y, right]
    lower = (1 - part_x) * correlation[below, x] + part_x * correlation[below, right]
    present = 1 - 0.5 * (positions == 0).sum(dim=1).to(correlation.dtype)[:, None, None]
    maps = present * ((1 - part_y) * upper + part_y * lower)
    return maps / (maps.sum(dim=(1, 2), keepdim=True) + _SUM_FLOOR)


def select_queries(correlation: torch.Tensor, share: float) -> torch.Tensor:
    """Return the fine cells of the coarse cells of A with the largest best correlation, ordered by number."""
    height, width = correlation.shape[:2]
    best = correlation.flatten(2).amax(dim=2).flatten()
    kept = best.topk(math.floor(share * height * width)).indices
    return fine_cells(kept, width).flatten().sort().values


def fine_cells(coarse: torch.Tensor, width: int) -> torch.Tensor:
    """Return (N, 16) numbers of the fine cells in coarse cells (N,) of a coarse map of a width."""
    step = torch.arange(RATIO, device=coarse.device)
    inside = step[:, None] * (RATIO * width) + step
    first = coarse // width * (_CELLS * width) + coarse % width * RATIO
    return first[:, None] + inside.flatten()


@dataclass(frozen=True)
class Sketch:
    """Features in a few directions that hold most of their length, and the length of what is left out.

    The product of two vectors is at most the product of what is kept plus that of the lengths left out. Any
    directions give a bound; the principal ones of the features themselves give a close one.

    Attributes:
        basis: (C, D) orthonormal.
        values: (h w 16, D + 1), kept components and the length of the rest.
    """

    basis: torch.Tensor
    values: torch.Tensor

    @classmethod
    def of(cls, values: torch.Tensor) -> Sketch:
        """Sketch features (h w, 16, C)."""
        some = values[:, :: _CELLS // 2].flatten(0, 1)
        count = max(1, min(values.shape[2] // _SKETCHED, len(some)))
        # One step of subspace iteration from features themselves: nearly the principal directions.
        start = some[:: max(1, len(some) // count)][:count].T
        basis = torch.linalg.qr(some.T @ (some @ start)).Q
        return cls(basis, _sketched(values.flatten(0, 1), basis))

    def bounds(self, features: torch.Tensor) -> torch.Tensor:
        """Return (N, 16, cells): what products of (N, 16, C) with a coarse cell's fine cells never exceed."""
        products = _sketched(features.flatten(0, 1), self.basis) @ self.values.T
        cells = len(self.values) // _CELLS
        return products.view(len(features), _CELLS, cells, _CELLS).amax(dim=3)


def _sketched(vectors: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    kept = vectors @ basis
    rest = vectors.square().sum(dim=1) - kept.square().sum(dim=1)
    # Rounding must not make the bound too low.
    return torch.cat([kept, (rest.clamp(min=0) + _ROUNDING).sqrt()[:, None]], dim=1)


@dataclass(frozen=True)
class FineBlocks:
    """Fine features ordered by coarse cell.

    Attributes:
        values: (h w, 16, C), cells and within them fine cells row by row.
        width: w, of the coarse map.
    """

    values: torch.Tensor
    width: int

    @classmethod
    def of(cls, fine: torch.Tensor) -> FineBlocks:
        """Reorder a (C, 4 h, 4 w) map."""
        channels, height, width = fine.shape
        split = fine.view(channels, height // RATIO, RATIO, width // RATIO, RATIO)
        return cls(split.permute(1, 3, 2, 4, 0).reshape(-1, _CELLS, channels), width // RATIO)

    @cached_property
    def sketch(self) -> Sketch:
        """What bounds products with these features cheaply; made when it is first needed."""
        return Sketch.of(self.values)

    def locate(self, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the coarse cell and the place in it of fine cell numbers."""
        y, x = cells // (RATIO * self.width), cells % (RATIO * self.width)
        coarse = y // RATIO * self.width + x // RATIO
        return coarse, y % RATIO * RATIO + x % RATIO

    def number(self, coarse: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """Return the fine cell numbers of places in coarse cells."""
        y = coarse // self.width * RATIO + place // RATIO
        return y * (RATIO * self.width) + coarse % self.width * RATIO + place % RATIO


class Masks:
    """What `mask_rows` gives at (x / 4, y / 4) for fine cells (x, y), without making it for all at once."""

    def __init__(self, correlation: torch.Tensor) -> None:
        """Take a correlation (hA, wA, hB, wB) whose rows are wanted for cells of A."""
        self.height, self.width = correlation.shape[:2]
        self.rows = correlation.flatten(2).flatten(0, 1)
        self.sums = self.rows.sum(dim=1)
        steps = torch.arange(RATIO, device=correlation.device) / RATIO
        y, x = (step.flatten().to(correlation.dtype) for step in torch.meshgrid(steps, steps, indexing="ij"))
        # (16, 4): share of each corner in each of the fine cells.
        self.shares = torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], dim=1)

    def corners(self, coarse: torch.Tensor) -> torch.Tensor:
        """Return (N, 4) coarse cells between which the fine cells of coarse cells (N,) lie."""
        y, x = coarse // self.width, coarse % self.width
        below, right = (y + 1).clamp(max=self.height - 1), (x + 1).clamp(max=self.width - 1)
        return torch.stack(
            [y * self.width + x, y * self.width + right, below * self.width + x, below * self.width + right],
            dim=1,
        )

    def scales(self, coarse: torch.Tensor) -> torch.Tensor:
        """Return (N, 16) factors that make the interpolated rows masks."""
        place = torch.arange(_CELLS, device=coarse.device)
        left = (coarse % self.width == 0)[:, None] & (place % RATIO == 0)
        top = (coarse < self.width)[:, None] & (place < RATIO)
        present = 1 - 0.5 * (left.to(self.sums.dtype) + top.to(self.sums.dtype))
        return present / (present * (self.sums[self.corners(coarse)] @ self.shares.T) + _SUM_FLOOR)


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
    wanted = torch.zeros(len(cells), _CELLS, dtype=torch.bool, device=queries.device)
    wanted[group, place] = True
    found = torch.zeros_like(wanted, dtype=torch.int64)
    products = torch.zeros_like(scales)
    count = min(options.windows, len(target.values))
    size = max(1, _BLOCK // (count * target.values[0].numel()))
    for start in range(0, len(cells), size):
        chunk = slice(start, start + size)
        rows = masks.rows[masks.corners(cells[chunk])]
        windows = rows.amax(dim=1).topk(count).indices
        features = source.values[cells[chunk]]
        best = _look(features, target, masks.shares, rows, windows)
        if options.exact:
            best = _look_further(features, target, masks.shares, rows, windows, best, wanted[chunk])
        found[chunk], products[chunk] = best.cells, best.products
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
    place = cosines[number, window, :, torch.arange(_CELLS, device=features.device)].argmax(dim=2)
    return _Best(target.number(windows.gather(1, window), place), products)


def _cosines(features: torch.Tensor, target: FineBlocks, windows: torch.Tensor) -> torch.Tensor:
    """Return (N, K, 16, 16) dot products of the fine cells of windows (N, K) with features (N, 16, C)."""
    number, count = windows.shape
    channels = features.shape[2]
    cosines = features.new_empty(number, count * _CELLS, _CELLS)
    # What is gathered must still be in the cache when it is multiplied.
    block = _GATHERED_AT_ONCE if features.device.type == "cpu" else _BLOCK
    step = min(max(1, block // (count * _CELLS * channels)), number)
    gathered = features.new_empty(step * count, _CELLS, channels)
    columns = features.transpose(1, 2).contiguous()
    for start in range(0, number, step):
        part = windows[start : start + step].flatten()
        others = torch.index_select(target.values, 0, part, out=gathered[: len(part)])
        others = others.view(-1, count * _CELLS, channels)
        torch.bmm(others, columns[start : start + step], out=cosines[start : start + step])
    return cosines.view(number, count, _CELLS, _CELLS)


def _look_further(
    features: torch.Tensor,
    target: FineBlocks,
    shares: torch.Tensor,
    rows: torch.Tensor,
    windows: torch.Tensor,
    best: _Best,
    wanted: torch.Tensor,
) -> _Best:
    """Correlate with every other coarse cell whose mask is above the best product of a wanted query."""
    rest = rows.scatter(2, windows[:, None].expand(-1, 4, -1), 0)
    # Shares of the corners relative to what is to be beaten: a mask above 1 may do so.
    relative = wanted[:, :, None] * shares / best.products.clamp(min=_TINY)[:, :, None]
    doubtful = torch.nonzero((relative @ rest.amax(dim=2)[:, :, None]).amax(dim=(1, 2)) > _SURELY_LESS)[:, 0]
    promise = (relative[doubtful] @ rest[doubtful]).amax(dim=1)
    left = (promise > _SURELY_LESS).sum(dim=1)
    # Where masks are flat, 1 is too weak a bound of the cosine.
    flat = torch.nonzero(left > _FLAT * len(target.values))[:, 0]
    if len(flat) < _OFTEN * len(left):
        flat = flat[:0]
    for start in range(0, len(flat), _DENSE_GROUPS):
        some = flat[start : start + _DENSE_GROUPS]
        chosen = doubtful[some]
        masks = relative[chosen] @ rest[chosen]
        promise[some] = (masks * target.sketch.bounds(features[chosen])).amax(dim=1)
    left = (promise > _SURELY_LESS).sum(dim=1)
    cells, products = best.cells.clone(), best.products.clone()
    # Most have few cells left, some have many: those with like numbers are searched together.
    order = left.argsort(descending=True)[: int((left > 0).sum())]
    while len(order):
        count = int(left[order[0]])
        many = count > _MANY * len(target.values)
        size = int((left[order] >= (_MANY * len(target.values) if many else _ALIKE * count)).sum())
        now, order = order[:size], order[size:]
        chosen = doubtful[now]
        if many:
            found = _look_everywhere(features[chosen], target, shares, rows[chosen])
        else:
            windows = promise[now].topk(count).indices
            found = _look(features[chosen], target, shares, rows[chosen], windows)
        better = found.products > products[chosen]
        cells[chosen] = torch.where(better, found.cells, cells[chosen])
        products[chosen] = torch.where(better, found.products, products[chosen])
    return _Best(cells, products)


def _look_everywhere(
    features: torch.Tensor, target: FineBlocks, shares: torch.Tensor, rows: torch.Tensor
) -> _Best:
    """Correlate (N, 16, C) features with all fine cells of the target."""
    others = target.values.flatten(0, 1).T
    cells, products = [], []
    for start in range(0, len(features), _DENSE_GROUPS):
        some, corners = features[start : start + _DENSE_GROUPS], rows[start : start + _DENSE_GROUPS]
        cosines = (some.flatten(0, 1) @ others).view(len(some), _CELLS, -1, _CELLS)
        product, window = (shares @ corners * cosines.amax(dim=3)).max(dim=2)
        chosen = window[:, :, None, None].expand(-1, -1, 1, _CELLS)
        place = cosines.gather(2, chosen)[:, :, 0].argmax(dim=2)
        cells.append(target.number(window, place))
        products.append(product)
    return _Best(torch.cat(cells), torch.cat(products))
