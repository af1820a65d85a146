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


def cross(a: Array, b: Array) -> Array:
    """Return the cross products (3, N) of vectors (3, N); numpy's own takes several times as long."""
    product = np.empty_like(a)
    product[0] = a[1] * b[2] - a[2] * b[1]
    product[1] = a[2] * b[0] - a[0] * b[2]
    product[2] = a[0] * b[1] - a[1] * b[0]
    return product


def rotation_matrix(vector: Array) -> Array:
    """Return the (3, 3) rotation about `vector` (3,) by its length, radians (Rodrigues' formula)."""
    x, y, z = (float(value) for value in vector)
    squared = x * x + y * y + z * z
    angle = math.sqrt(squared)
    small = angle < 1e-8
    sine = 1.0 if small else math.sin(angle) / angle
    versine = 0.5 if small else (1.0 - math.cos(angle)) / squared
    return np.array(
        [
            [1.0 - versine * (y * y + z * z), versine * x * y - sine * z, versine * x * z + sine * y],
            [versine * x * y + sine * z, 1.0 - versine * (x * x + z * z), versine * y * z - sine * x],
            [versine * x * z - sine * y, versine * y * z + sine * x, 1.0 - versine * (x * x + y * y)],
        ]
    )


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
