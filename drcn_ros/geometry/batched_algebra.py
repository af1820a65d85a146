# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Many small vectors and matrices side by side: the last axis counts them."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.types import Array

_ONES = np.ones(4)


def times(matrices: Array, vectors: Array) -> Array:
    """Return the products (2, N) of matrices (2, 2, N) or (2, 2, 1) with vectors (2, N)."""
    if matrices.shape[2] == 1:
        product: Array = matrices[:, :, 0] @ vectors
    else:
        product = matrices[:, 0] * vectors[0]
        product += matrices[:, 1] * vectors[1]
    return product


def squared_length(vectors: Array) -> Array:
    """Return the squared lengths (N,) of vectors (D, N), D at most 4."""
    return dots(vectors, vectors)


def dots(first: Array, second: Array) -> Array:
    """Return the scalar products (N,) of vectors (D, N), D at most 4; quicker than a sum or an einsum."""
    product: Array = _ONES[: len(first)] @ (first * second)
    return product


def inverses(matrices: Array) -> tuple[Array, Array]:
    """Return determinants (N,) and inverses of matrices (2, 2, N); those of singular ones are not finite."""
    (a, b), (c, d) = matrices
    determinant: Array = a * d - b * c
    inverse = np.empty_like(matrices)
    inverse[0, 0], inverse[0, 1], inverse[1, 0], inverse[1, 1] = d, -b, -c, a
    inverse /= determinant
    return determinant, inverse
