# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Small pieces of the geometry of rotations and directions."""

from __future__ import annotations

import math

import numpy as np

from drcn_ros.geometry.types import Array


def cross_matrix(vector: Array) -> Array:
    """Return the (3, 3) matrix that maps y to the cross product of `vector` (3,) with y."""
    x, y, z = vector
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def rotation_matrix(vector: Array) -> Array:
    """Return the (3, 3) rotation about `vector` (3,) by its length, radians (Rodrigues' formula)."""
    angle = float(np.linalg.norm(vector))
    cross = cross_matrix(vector)
    if angle < 1e-8:
        return np.eye(3) + cross + 0.5 * cross @ cross
    matrix: Array = (
        np.eye(3) + np.sin(angle) / angle * cross + (1.0 - np.cos(angle)) / angle**2 * cross @ cross
    )
    return matrix


def rotation_vector(rotation: Array) -> Array:
    """Return the (3,) vector whose `rotation_matrix` is `rotation` (3, 3); its length lies in [0, pi]."""
    cosine = 0.5 * (np.trace(rotation) - 1.0)
    axial = 0.5 * np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine = float(np.linalg.norm(axial))
    angle = float(np.arctan2(sine, cosine))
    if sine > 1e-6:
        return axial * (angle / sine)
    if cosine > 0.0:
        return axial
    # Half a turn: the antisymmetric part vanishes, the axis is the eigenvector of eigenvalue 1.
    values, vectors = np.linalg.eigh(0.5 * (rotation + rotation.T))
    axis: Array = vectors[:, int(np.argmax(values))]
    return axis * (angle if axis @ axial >= 0.0 else -angle)


def nearest_rotation(matrix: Array) -> Array:
    """Return the rotation (3, 3) nearest to `matrix` in the Frobenius norm."""
    u, _, vt = np.linalg.svd(matrix)
    sign = np.array([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))])
    nearest: Array = (u * sign) @ vt
    return nearest


def tangent_basis(direction: Array) -> Array:
    """Return (3, 2) orthonormal columns perpendicular to the unit vector `direction` (3,)."""
    x, y, z = (float(value) for value in direction)
    # Without a case where it breaks down: Duff et al., Building an orthonormal basis, revisited, JCGT 2017.
    sign = math.copysign(1.0, z)
    a = -1.0 / (sign + z)
    b = x * y * a
    return np.array([[1.0 + sign * x * x * a, b], [sign * b, sign + y * y * a], [-sign * x, -y]])
