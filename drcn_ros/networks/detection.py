# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Soft detection after D2-Net (Dusmanu et al., CVPR 2019, section 3.2) on any feature map, and its maxima."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import relu

# Keeps the exponential finite when training makes the sharpness large.
LARGEST_EXPONENT = 30.0
# Added to divisors, far below any feature that matters.
LEAST_FEATURE = 1e-6


class SoftDetection(nn.Module):
    """Detection score of each cell: local soft maximum times ratio to the strongest channel, eqs. 4 to 6.

    The paper's exponential of the plain feature varies little on small features; a learned sharpness on
    features relative to their largest one in the image replaces it.
    """

    def __init__(self, sharpness: float = 4.0) -> None:
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(sharpness))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (B, 1, h, w) scores in [0, 1] of (B, C, h, w) features."""
        features = relu(features).contiguous()
        largest = features.amax((1, 2, 3), keepdim=True).detach() + LEAST_FEATURE
        weight = (features * (self.sharpness / largest)).clamp(max=LARGEST_EXPONENT).exp_()
        local = weight * features / _sum_3x3(weight)
        return local.amax(1, keepdim=True) / (features.amax(1, keepdim=True) + LEAST_FEATURE)


def strongest_maxima(
    scores: torch.Tensor, count: int, window: int = 5, border: int = 2
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the strongest local maxima of a score map, located within the cell by a quadratic fit.

    Args:
        scores: (h, w), at least 0.
        count: most points returned.
        window: side of the square, in cells, in which a maximum must be the largest; odd.
        border: cells at each side of the map without maxima, at least 1.

    Returns:
        (N, 2) float32 cell coordinates (x, y), and (N,) scores, descending. On a CPU as many as there are; on
        another device always `count`, or all cells where there are fewer: its host need not wait for their
        number. What fills up has score 0.
    """
    height, width = scores.shape
    if min(height, width) <= 2 * border:
        return scores.new_zeros(0, 2), scores.new_zeros(0)
    inner = slice(border, -border)
    inside = scores[inner, inner]
    maxima = (inside > 0) & (inside == _maximum_around(scores, window // 2)[inner, inner])
    flat = scores.flatten()
    if scores.device.type == "cpu":
        y, x = torch.where(maxima)
        cells = (y + border) * width + (x + border)
        values, order = torch.sort(flat[cells], descending=True, stable=True)
        values, cells = values[:count], cells[order[:count]]
    else:
        values, order = torch.sort(torch.where(maxima, inside, 0).flatten(), descending=True, stable=True)
        values, order = values[:count], order[:count]
        columns = inside.shape[1]
        cells = (order // columns + border) * width + (order % columns + border)
    y, x = cells // width, cells % width
    step_x, step_y = (
        _vertex(flat[cells - neighbour], values, flat[cells + neighbour]) for neighbour in (1, width)
    )
    return torch.stack([x + step_x, y + step_y], dim=1).float(), values


def _sum_3x3(maps: torch.Tensor) -> torch.Tensor:
    """Return the sums over 3x3 cells, the rim continued outside.

    Sums of shifted maps, along one axis after the other, are several times faster than pooling.
    """
    for axis in (2, 3):
        length = maps.shape[axis]
        total = maps.clone()
        total.narrow(axis, 1, length - 1).add_(maps.narrow(axis, 0, length - 1))
        total.narrow(axis, 0, 1).add_(maps.narrow(axis, 0, 1))
        total.narrow(axis, 0, length - 1).add_(maps.narrow(axis, 1, length - 1))
        total.narrow(axis, length - 1, 1).add_(maps.narrow(axis, length - 1, 1))
        maps = total
    return maps


def _maximum_around(map_: torch.Tensor, reach: int) -> torch.Tensor:
    """Return the maxima of an (h, w) map over squares of side 2 reach + 1, cut at the rim."""
    for axis in (0, 1):
        length = map_.shape[axis]
        largest = map_.clone()
        for step in range(1, min(reach, length - 1) + 1):
            near, far = (largest.narrow(axis, start, length - step) for start in (0, step))
            torch.maximum(near, map_.narrow(axis, step, length - step), out=near)
            torch.maximum(far, map_.narrow(axis, 0, length - step), out=far)
        map_ = largest
    return map_


def _vertex(before: torch.Tensor, at: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Return the position of the extremum of the parabola through three neighbours, within [-0.5, 0.5]."""
    curvature = before + after - 2 * at
    return ((before - after) / (2 * curvature - 1e-6)).clamp(-0.5, 0.5)
