# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN's losses (DRCN, section 3.3): measures of annotated points against where they should be.

The published code differs from the paper and is followed: the distance of each row is taken and averaged,
where the paper takes the Frobenius norm of the whole matrix; its weights are 0.95 and 0.05, where the paper
has 1 and 0.05; the orthogonal term is divided by the number of points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import conv2d

from drcn_ros.networks.drcn import DRCN, DRCNMaps
from drcn_ros.networks.fine_blocks import RATIO
from drcn_ros.networks.masks import mask_rows
from drcn_ros.networks.resnet_fpn import COARSE_STRIDE, FINE_STRIDE

# Quarters of the reference's blur kernels, from a corner to the centre.
_KERNELS = {
    3: ((1, 2), (2, 4)),
    5: ((1, 4, 7), (4, 16, 26), (7, 26, 41)),
    7: ((0, 0, 0, 5), (0, 5, 18, 32), (0, 18, 64, 100), (5, 32, 100, 100)),
}
# The square root of the squared distance has no slope at 0.
_TINY = 1e-24


@dataclass(frozen=True)
class DrcnLossConfig:
    """How targets are made and terms are weighted.

    Attributes:
        orthogonal: weight of the orthogonal term; the other has the rest to 1.
        blur: side of the kernel that spreads a target, 3, 5 or 7, or 0 for none.
        bilinear: False puts a target into one cell instead of sharing it between four.
    """

    orthogonal: float = 0.05
    blur: int = 3
    bilinear: bool = True


@dataclass(frozen=True)
class AnnotatedPoints:
    """Correspondences of a batch of pairs, as many for each pair; those not valid count for nothing.

    Attributes:
        source: (B, N, 2) pixels (x, y) of A as given to the network.
        target: (B, N, 2) pixels of B.
        valid: (B, N) bool.
    """

    source: torch.Tensor
    target: torch.Tensor
    valid: torch.Tensor


@dataclass(frozen=True)
class DrcnLoss:
    """The loss and its two terms, scalars."""

    total: torch.Tensor
    points: torch.Tensor
    orthogonal: torch.Tensor


def drcn_loss(
    source: DRCNMaps,
    target: DRCNMaps,
    correlation: torch.Tensor,
    annotated: AnnotatedPoints,
    config: DrcnLossConfig | None = None,
) -> DrcnLoss:
    """Return the loss of a batch of pairs, the mean over its pairs.

    Args:
        source, target: maps of B images each.
        correlation: (B, hA, wA, hB, wB), cleaned, at least 0.
        annotated: what corresponds; a pair without valid points adds 0.
        config: targets and weights.
    """
    config = config or DrcnLossConfig()
    points, orthogonal = [], []
    for index, cleaned in enumerate(correlation):
        valid = annotated.valid[index]
        here, there = annotated.source[index][valid], annotated.target[index][valid]
        fine_a, fine_b = source.fine[index], target.fine[index]
        terms = (
            _terms(point_measures(fine_a, fine_b, cleaned, here), there, config),
            _terms(point_measures(fine_b, fine_a, cleaned.permute(2, 3, 0, 1), there), here, config),
        )
        points.append(terms[0][0] + terms[1][0])
        orthogonal.append(terms[0][1] + terms[1][1])
    mean_points, mean_orthogonal = torch.stack(points).mean(), torch.stack(orthogonal).mean()
    total = (1 - config.orthogonal) * mean_points + config.orthogonal * mean_orthogonal
    return DrcnLoss(total, mean_points, mean_orthogonal)


def weak_loss(network: DRCN, source: DRCNMaps, target: DRCNMaps) -> torch.Tensor:
    """Return how much surer images are of their partner than of another pair's (NCNet, section 3.5), negated.

    Needs no annotation but at least two pairs; the published training gives it the weight 0.
    """
    others = DRCNMaps(source.fine.roll(1, 0), source.coarse.roll(1, 0), source.size)
    return _sureness(network.correlate(others, target)) - _sureness(network.correlate(source, target))


def _sureness(correlation: torch.Tensor) -> torch.Tensor:
    matrix = correlation.flatten(3).flatten(1, 2)
    return (matrix.softmax(dim=2).amax(dim=2).mean() + matrix.softmax(dim=1).amax(dim=1).mean()) / 2


def point_measures(
    source: torch.Tensor, target: torch.Tensor, correlation: torch.Tensor, points: torch.Tensor
) -> torch.Tensor:
    """Return (N, HB, WB) measures of points (N, 2), in pixels of A, with all fine cells of B."""
    masks = mask_rows(correlation, points / COARSE_STRIDE)
    masks = masks.repeat_interleave(RATIO, dim=1).repeat_interleave(RATIO, dim=2)
    height, width = source.shape[1:]
    x, y = (points / FINE_STRIDE).round().long().T
    features = source[:, y.clamp(0, height - 1), x.clamp(0, width - 1)]
    return masks * torch.einsum("cn,cij->nij", features, target)


def point_targets(points: torch.Tensor, height: int, width: int, config: DrcnLossConfig) -> torch.Tensor:
    """Return (N, H, W) of what the measures of points (N, 2), in pixels of that image, should be.

    Where cells coincide at the border their shares add up; in the reference the last one wins.
    """
    places = points / FINE_STRIDE - 0.5
    low = places.floor() if config.bilinear else places.trunc()
    part = (places - low) if config.bilinear else torch.zeros_like(places)
    targets = points.new_zeros(len(points), height * width)
    for step_y in (0, 1):
        for step_x in (0, 1):
            x = (low[:, 0] + step_x).long().clamp(0, width - 1)
            y = (low[:, 1] + step_y).long().clamp(0, height - 1)
            share = (part[:, 0] if step_x else 1 - part[:, 0]) * (part[:, 1] if step_y else 1 - part[:, 1])
            targets.scatter_add_(1, (y * width + x)[:, None], share[:, None])
    maps = targets.view(-1, height, width)
    if config.blur == 0:
        return maps
    kernel = _kernel(config.blur).to(maps)
    blurred: torch.Tensor = conv2d(maps[:, None], kernel[None, None], padding=config.blur // 2)
    return blurred[:, 0]


def _kernel(size: int) -> torch.Tensor:
    quarter = torch.tensor(_KERNELS[size], dtype=torch.float64)
    upper = torch.cat([quarter, quarter[:, :-1].flip(1)], dim=1)
    kernel = torch.cat([upper, upper[:-1].flip(0)])
    return kernel / kernel.sum()


def _terms(
    measures: torch.Tensor, places: torch.Tensor, config: DrcnLossConfig
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean distance of the rows from their targets, and the orthogonal term."""
    height, width = measures.shape[1:]
    wanted = point_targets(places.to(measures.dtype), height, width, config).flatten(1)
    found = measures.flatten(1)
    count = max(len(found), 1)
    distance = _length((found - wanted).square().sum(dim=1)).sum() / count
    orthogonal = _length((found @ found.T - wanted @ wanted.T).square().sum()) / count
    return distance, orthogonal


def _length(squared: torch.Tensor) -> torch.Tensor:
    root: torch.Tensor = (squared + _TINY).sqrt()
    return root - math.sqrt(_TINY)
