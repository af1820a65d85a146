# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Soft detection after D2-Net (Dusmanu et al., CVPR 2019, section 3.2) on any feature map, and its maxima."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, max_pool2d, pad, relu

# Keeps the exponential finite when training makes the sharpness large.
_LARGEST_EXPONENT = 30.0


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
        features = relu(features)
        largest = features.amax((1, 2, 3), keepdim=True).detach() + 1e-6
        weight = (self.sharpness * features / largest).clamp(max=_LARGEST_EXPONENT).exp()
        local = weight / (9 * avg_pool2d(pad(weight, (1, 1, 1, 1), mode="replicate"), 3, stride=1))
        ratio = features / (features.amax(1, keepdim=True) + 1e-6)
        return (local * ratio).amax(1, keepdim=True)


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
        (N, 2) float32 cell coordinates (x, y), and (N,) scores, descending.
    """
    height, width = scores.shape
    maxima = (scores > 0) & (scores == max_pool2d(scores[None], window, 1, window // 2)[0])
    maxima[:border] = False
    maxima[max(height - border, 0) :] = False
    maxima[:, :border] = False
    maxima[:, max(width - border, 0) :] = False
    y, x = torch.where(maxima)
    values, order = torch.sort(scores[y, x], descending=True, stable=True)
    values, order = values[:count], order[:count]
    y, x = y[order], x[order]
    step_x = _vertex(scores[y, x - 1], values, scores[y, x + 1])
    step_y = _vertex(scores[y - 1, x], values, scores[y + 1, x])
    return torch.stack([x + step_x, y + step_y], dim=1).float(), values


def _vertex(before: torch.Tensor, at: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """Return the position of the extremum of the parabola through three neighbours, within [-0.5, 0.5]."""
    curvature = before + after - 2 * at
    return ((before - after) / (2 * curvature - 1e-6)).clamp(-0.5, 0.5)
