# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""D2-Net's training: soft detection and the triplet margin loss that it weights (sections 3.2 and 4.1).

Follows the authors' code where it differs from the paper; docs/networks.md lists the differences.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, normalize, pad, relu

from drcn_ros.networks.d2net import D2Net, D2NetConfig, vgg16_trunk
from drcn_ros.training.d2net_geometry import CellPairs

MARGIN = 1.0
# Cells nearer to the true one than this are no negatives; they are pushed out of reach instead.
_SAFE_RADIUS = 4
_OUT_OF_REACH = 10.0
# Pairs of images with fewer correspondences say too little.
LEAST_CORRESPONDENCES = 128


class D2NetTraining(D2Net):
    """D2-Net as it is trained: three pools, nothing dilated, stride 8, no final ReLU; only conv4_3 learns."""

    def __init__(self, config: D2NetConfig | None = None) -> None:
        super().__init__(config)
        self.trunk = vgg16_trunk(nn.MaxPool2d(2), dilation=1)
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        for parameter in self.trunk[-1].parameters():
            parameter.requires_grad_(True)

    def features(self, preprocessed: torch.Tensor) -> torch.Tensor:
        """Return features (B, 512, H // 8, W // 8), before any ReLU."""
        result: torch.Tensor = self.trunk(preprocessed)
        return result


def soft_detection(features: torch.Tensor) -> torch.Tensor:
    """Return (B, h, w) detection scores that sum to 1 over each image, of features before ReLU (eqs. 4 to 7).

    Cells without a positive channel score 0, and so does an image without one.
    """
    active = relu(features)
    largest = active.amax((1, 2, 3), keepdim=True)
    weight = (active / _positive(largest)).exp()
    # Cells outside the map count like dead ones, with exp(0).
    local = weight / (9 * avg_pool2d(pad(weight, (1, 1, 1, 1), value=1.0), 3, stride=1))
    ratio = active / _positive(active.amax(1, keepdim=True))
    score = (local * ratio).amax(1)
    return score / _positive(score.sum((1, 2), keepdim=True))


def triplet_loss(
    first: torch.Tensor,
    second: torch.Tensor,
    pairs: Sequence[CellPairs],
    least_correspondences: int = LEAST_CORRESPONDENCES,
) -> torch.Tensor:
    """Return the mean loss over the image pairs that have enough correspondences; 0 where none has.

    Args:
        first: (B, C, h, w) features of the first images, before ReLU.
        second: (B, C, h', w') features of the second images.
        pairs: corresponding cells of each pair of images.
        least_correspondences: image pairs with fewer are left out.
    """
    first_scores, second_scores = soft_detection(first), soft_detection(second)
    losses = [
        _pair_loss(first[index], second[index], first_scores[index], second_scores[index], cells)
        for index, cells in enumerate(pairs)
        if len(cells) >= max(1, least_correspondences)
    ]
    # The sum over nothing still has a gradient, so that a training step needs no special case.
    return torch.stack(losses).mean() if losses else 0 * (first.sum() + second.sum())


def _pair_loss(
    first: torch.Tensor,
    second: torch.Tensor,
    first_scores: torch.Tensor,
    second_scores: torch.Tensor,
    cells: CellPairs,
) -> torch.Tensor:
    first, second = normalize(first, dim=0), normalize(second, dim=0)
    one = first[:, cells.first[:, 0], cells.first[:, 1]]
    other = second[:, cells.second[:, 0], cells.second[:, 1]]
    positive = 2 - 2 * (one * other).sum(dim=0)
    negative = torch.minimum(_hardest(one, second, cells.second), _hardest(other, first, cells.first))
    weight = (
        first_scores[cells.first[:, 0], cells.first[:, 1]]
        * second_scores[cells.second[:, 0], cells.second[:, 1]]
    )
    return (weight * relu(MARGIN + positive - negative)).sum() / _positive(weight.sum())


def _hardest(descriptors: torch.Tensor, dense: torch.Tensor, true_cells: torch.Tensor) -> torch.Tensor:
    """Return (N,) squared distances of (C, N) descriptors to the nearest cell away from the true one."""
    rows, columns = dense.shape[1:]
    distances = 2 - 2 * descriptors.T @ dense.flatten(1)
    row = torch.arange(rows, device=dense.device)
    column = torch.arange(columns, device=dense.device)
    near = ((row - true_cells[:, :1]).abs() <= _SAFE_RADIUS)[:, :, None]
    near = near & ((column - true_cells[:, 1:]).abs() <= _SAFE_RADIUS)[:, None]
    return (distances + _OUT_OF_REACH * near.flatten(1)).amin(dim=1)


def _positive(values: torch.Tensor) -> torch.Tensor:
    """Return a divisor: a numerator that belongs to 0 is 0 itself, and the quotient stays that."""
    return torch.where(values > 0, values, torch.ones_like(values))
