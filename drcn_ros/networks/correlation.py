# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""4D correlation of two feature maps and its soft mutual filter (DRCN, section 3.1; NCNet, section 3.2).

A 4D correlation is a tensor (B, hA, wA, hB, wB): one similarity for each pair of a cell of A and a cell of B.
"""

from __future__ import annotations

import torch

_NORM_FLOOR = 1e-6
_RATIO_FLOOR = 1e-5


def normalise(features: torch.Tensor) -> torch.Tensor:
    """Return a (B, C, h, w) map of vectors of almost unit length, f / sqrt(sum f^2 + 1e-6)."""
    return features * (features.square().sum(dim=1, keepdim=True) + _NORM_FLOOR).rsqrt()


def correlate(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return all dot products of (B, C, hA, wA) and (B, C, hB, wB) maps, shape (B, hA, wA, hB, wB)."""
    products = source.flatten(2).transpose(1, 2) @ target.flatten(2)
    return products.view(source.shape[0], *source.shape[2:], *target.shape[2:])


def mutual_matching(correlation: torch.Tensor) -> torch.Tensor:
    """Damp every value that is not the best of both its cells: C * (C / best over A) * (C / best over B).

    Two reductions and one pass of multiplications. Values of either sign keep their sign.
    """
    matrix = correlation.flatten(3).flatten(1, 2)
    best_of_a, best_of_b = matrix.amax(dim=2, keepdim=True), matrix.amax(dim=1, keepdim=True)
    return damped(matrix, best_of_a, best_of_b).view(correlation.shape)


def damped(matrix: torch.Tensor, best_of_a: torch.Tensor, best_of_b: torch.Tensor) -> torch.Tensor:
    """Return what `mutual_matching` makes of a part of a correlation, the best of the whole being known.

    Args:
        matrix: (..., cells of A, cells of B).
        best_of_a: (..., cells of A, 1), each cell's best over B.
        best_of_b: (..., 1, cells of B), each cell's best over A.
    """
    ratio = matrix / (best_of_a + _RATIO_FLOOR)
    ratio = ratio * (matrix / (best_of_b + _RATIO_FLOOR))
    return ratio * matrix
