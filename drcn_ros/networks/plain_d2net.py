# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""D2-Net straight from its definitions: what tests and the benchmark compare the fast form with.

Detection and localisation run their filters over all channels of the whole map, in this many passes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import conv2d, max_pool2d, normalize

from drcn_ros.networks.d2net import CELL_ORIGIN, STRIDE, D2Net, D2NetKeypoints

_LARGEST_EDGE_RATIO = 7.2
_D_II = ((0, 1, 0), (0, -2, 0), (0, 1, 0))
_D_JJ = ((0, 0, 0), (1, -2, 1), (0, 0, 0))
_D_IJ = ((0.25, 0, -0.25), (0, 0, 0), (-0.25, 0, 0.25))
_D_I = ((0, -0.5, 0), (0, 0, 0), (0, 0.5, 0))
_D_J = ((0, 0, 0), (-0.5, 0, 0.5), (0, 0, 0))


def keypoints(network: D2Net, image: torch.Tensor) -> D2NetKeypoints:
    """Return what `network.keypoints(image)[0]` returns, for one image (1, C, H, W) at its own scale."""
    return keypoints_of(network(image))


def keypoints_of(dense: torch.Tensor) -> D2NetKeypoints:
    """Return the keypoints of the dense features (1, 512, h, w) of an image."""
    channel, row, column = _detected(dense)[0].nonzero().unbind(dim=1)
    step_i, step_j = (step[0, channel, row, column] for step in _steps(dense))
    i, j = row + step_i, column + step_j
    height, width = dense.shape[2:]
    inside = (i.floor() >= 0) & (i.ceil() < height) & (j.floor() >= 0) & (j.ceil() < width)
    keep = (step_i.abs() < 0.5) & (step_j.abs() < 0.5) & inside
    channel, row, column, i, j = (values[keep] for values in (channel, row, column, i, j))
    scores = dense[0, channel, row, column]
    return D2NetKeypoints(
        torch.stack([STRIDE * j + CELL_ORIGIN, STRIDE * i + CELL_ORIGIN], dim=1),
        scores,
        torch.ones_like(scores),
        _described(dense[0], i, j),
    )


def _detected(dense: torch.Tensor) -> torch.Tensor:
    strongest = dense == dense.amax(1, keepdim=True)
    peak = dense == max_pool2d(dense, 3, stride=1, padding=1)
    d_ii, d_jj, d_ij = (_filtered(dense, kernel) for kernel in (_D_II, _D_JJ, _D_IJ))
    determinant = d_ii * d_jj - d_ij * d_ij
    trace = d_ii + d_jj
    return strongest & peak & (determinant > 0) & (trace * trace / determinant <= _LARGEST_EDGE_RATIO)


def _steps(dense: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    d_ii, d_jj, d_ij, d_i, d_j = (_filtered(dense, kernel) for kernel in (_D_II, _D_JJ, _D_IJ, _D_I, _D_J))
    determinant = d_ii * d_jj - d_ij * d_ij
    return -(d_jj * d_i - d_ij * d_j) / determinant, -(d_ii * d_j - d_ij * d_i) / determinant


def _filtered(dense: torch.Tensor, kernel: Sequence[Sequence[float]]) -> torch.Tensor:
    channels = dense.shape[1]
    weight = torch.tensor(kernel, dtype=dense.dtype, device=dense.device).expand(channels, 1, 3, 3)
    return conv2d(dense, weight, padding=1, groups=channels)


def _described(dense: torch.Tensor, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
    top, left, bottom, right = i.floor().long(), j.floor().long(), i.ceil().long(), j.ceil().long()
    down, across = i - i.floor(), j - j.floor()
    descriptors = (
        dense[:, top, left] * (1 - down) * (1 - across)
        + dense[:, top, right] * (1 - down) * across
        + dense[:, bottom, left] * down * (1 - across)
        + dense[:, bottom, right] * down * across
    )
    return normalize(descriptors.T, dim=1)
