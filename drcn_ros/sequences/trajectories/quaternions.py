# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Unit quaternions in the order x, y, z, w of ROS and of trajectory files, many at a time."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.types import Array


def rotations_from_quaternions(quaternions: Array) -> Array:
    """Return (N, 3, 3) rotations of (N, 4) quaternions of any length but zero."""
    x, y, z, w = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def quaternions_from_rotations(rotations: Array) -> Array:
    """Return (N, 4) unit quaternions with w >= 0 of (N, 3, 3) rotations.

    The largest of the four components is taken from the diagonal and the others from it, which keeps all
    of them exact (Shepperd 1978).
    """
    m = np.asarray(rotations, np.float64)
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    # Four times the outer product of the quaternion with itself: each row is a multiple of it.
    outer = np.empty((len(m), 4, 4))
    outer[:, 0, 0], outer[:, 1, 1] = 1 + xx - yy - zz, 1 - xx + yy - zz
    outer[:, 2, 2], outer[:, 3, 3] = 1 - xx - yy + zz, 1 + xx + yy + zz
    for row, column, value in (
        (0, 1, m[:, 1, 0] + m[:, 0, 1]),
        (0, 2, m[:, 0, 2] + m[:, 2, 0]),
        (1, 2, m[:, 2, 1] + m[:, 1, 2]),
        (0, 3, m[:, 2, 1] - m[:, 1, 2]),
        (1, 3, m[:, 0, 2] - m[:, 2, 0]),
        (2, 3, m[:, 1, 0] - m[:, 0, 1]),
    ):
        outer[:, row, column] = outer[:, column, row] = value
    largest = np.argmax(np.diagonal(outer, axis1=1, axis2=2), axis=1)
    chosen = outer[np.arange(len(m)), largest]
    chosen = chosen / np.linalg.norm(chosen, axis=1, keepdims=True)
    result: Array = np.where(chosen[:, 3:] < 0, -chosen, chosen)
    return result


def slerp(start: Array, end: Array, share: Array) -> Array:
    """Return (N, 4) quaternions on the shortest great arcs from `start` to `end` (N, 4).

    Args:
        start, end: unit quaternions.
        share: (N,) place on the arc, 0 to 1 (Shoemake 1985).
    """
    cosine = np.sum(start * end, axis=1)
    end = np.where(cosine[:, None] < 0, -end, end)
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    sine = np.sin(angle)
    near = sine < 1e-9
    divisor = np.where(near, 1.0, sine)
    first = np.where(near, 1 - share, np.sin((1 - share) * angle) / divisor)
    second = np.where(near, share, np.sin(share * angle) / divisor)
    mixed = first[:, None] * start + second[:, None] * end
    result: Array = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return result
