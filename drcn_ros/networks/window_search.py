# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Correlation of fine cells with windows of another image, and with all that could hold better ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from drcn_ros.networks.fine_blocks import CELLS, FineBlocks

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
# Floats of features gathered at once, on a CPU and elsewhere, and of scores with a whole image.
_GATHERED_ON_CPU = 1 << 18
_GATHERED = 1 << 24
_SCORES_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class Best:
    """Best fine cell and its product so far, both (N, 16), for the fine cells of N coarse cells."""

    cells: torch.Tensor
    products: torch.Tensor


def look(
    features: torch.Tensor,
    target: FineBlocks,
    shares: torch.Tensor,
    rows: torch.Tensor,
    windows: torch.Tensor,
) -> Best:
    """Correlate (N, 16, C) features with all fine cells of coarse cells `windows` (N, K).

    `rows` (N, 4, cells) of the correlation lie at the corners of the N coarse cells.
    """
    cosines = _cosines(features, target, windows)
    mask = rows.gather(2, windows[:, None].expand(-1, 4, -1)).transpose(1, 2) @ shares.T
    products, window = (mask * cosines.amax(dim=2)).max(dim=1)
    number = torch.arange(len(features), device=features.device)[:, None]
    place = cosines[number, window, :, torch.arange(CELLS, device=features.device)].argmax(dim=2)
    return Best(target.number(windows.gather(1, window), place), products)


def _cosines(features: torch.Tensor, target: FineBlocks, windows: torch.Tensor) -> torch.Tensor:
    """Return (N, K, 16, 16) dot products of the fine cells of windows (N, K) with features (N, 16, C)."""
    number, count = windows.shape
    channels = features.shape[2]
    cosines = features.new_empty(number, count * CELLS, CELLS)
    # What is gathered must still be in the cache when it is multiplied.
    block = _GATHERED_ON_CPU if features.device.type == "cpu" else _GATHERED
    step = min(max(1, block // (count * CELLS * channels)), number)
    gathered = features.new_empty(step * count, CELLS, channels)
    columns = features.transpose(1, 2).contiguous()
    for start in range(0, number, step):
        part = windows[start : start + step].flatten()
        others = torch.index_select(target.values, 0, part, out=gathered[: len(part)])
        others = others.view(-1, count * CELLS, channels)
        torch.bmm(others, columns[start : start + step], out=cosines[start : start + step])
    return cosines.view(number, count, CELLS, CELLS)


def look_further(
    features: torch.Tensor,
    target: FineBlocks,
    shares: torch.Tensor,
    rows: torch.Tensor,
    windows: torch.Tensor,
    best: Best,
    wanted: torch.Tensor,
) -> tuple[Best, int]:
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
    # A GPU is asked for the numbers once, and not for each comparison.
    numbers = left[order].cpu().numpy().astype(np.float32)
    many = int((numbers > np.float32(_MANY * len(target.values))).sum())
    # Most have few cells left, some have many: those with like numbers are searched together.
    numbers = numbers[numbers > 0]
    order = order[: len(numbers)]
    if many:
        chosen = doubtful[order[:many]]
        found = look_everywhere(features[chosen], target, shares, rows[chosen], wanted[chosen])
        cells[chosen], products[chosen] = found.cells, found.products
        order, numbers = order[many:], numbers[many:]
    while len(order):
        count = int(numbers[0])
        size = int((numbers >= np.float32(_ALIKE * count)).sum())
        now, order, numbers = order[:size], order[size:], numbers[size:]
        chosen = doubtful[now]
        found = look(features[chosen], target, shares, rows[chosen], promise[now].topk(count).indices)
        better = found.products > products[chosen]
        cells[chosen] = torch.where(better, found.cells, cells[chosen])
        products[chosen] = torch.where(better, found.products, products[chosen])
    return Best(cells, products), many


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


def look_everywhere(
    features: torch.Tensor, target: FineBlocks, shares: torch.Tensor, rows: torch.Tensor, wanted: torch.Tensor
) -> Best:
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
    return Best(cells, products)


def _wanted_chunks(
    wanted: torch.Tensor, target: FineBlocks
) -> Iterator[tuple[slice, torch.Tensor, torch.Tensor]]:
    """Yield slices of the N groups of 16, and within each the group and place of those that are wanted."""
    size = max(1, _SCORES_AT_ONCE // (CELLS * CELLS * len(target.values)))
    for start in range(0, len(wanted), size):
        chunk = slice(start, start + size)
        group, place = torch.nonzero(wanted[chunk], as_tuple=True)
        yield chunk, group, place
