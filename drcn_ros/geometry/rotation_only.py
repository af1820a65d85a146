# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Two views that differ by a rotation alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.epipolar import INLIER_SCALE, NOISE_RANGE, RayPairs, parallax
from drcn_ros.geometry.robust import cauchy_weights
from drcn_ros.geometry.rotation import nearest_rotation, rotation_matrix
from drcn_ros.geometry.types import Array

_ITERATIONS = 8
# Matches that a rotation is first refined with, and steps with them and with all.
_SAMPLE, _FIRST, _LAST = 250, 5, 3
_UNIT = np.eye(3)
# Median of the length of a normal vector in the plane, per standard deviation of a component.
_RAYLEIGH_MEDIAN = 1.1774
_START_PX = 4.0
# A step so much shorter than its own standard deviation ends the refinement.
_SMALL_STEP = 0.1


@dataclass(frozen=True)
class RotationFit:
    """A rotation and the matches that it explains.

    Attributes:
        rotation: (3, 3) R_ref_cur.
        covariance: (3, 3) of the rotation vector about the reference axes, for the noise of the inliers.
        noise_px: standard deviation of a component of the inliers' residuals.
        inliers: (N,) bool.
    """

    rotation: Array
    covariance: Array
    noise_px: float
    inliers: NDArray[np.bool_]


def rotation_residuals(pairs: RayPairs, rotation: Array) -> Array:
    """Return the residuals (2, N), pixels, scaled to the noise of one point.

    Both points of a match are noisy, so the difference of the points is divided by the root of two.
    """
    residuals: Array = parallax(pairs, rotation) * np.sqrt(0.5)
    return residuals


def fit_rotation(pairs: RayPairs, start: Array) -> RotationFit:
    """Return the rotation next to `start` that explains most matches: Gauss-Newton with Cauchy weights."""
    rotation, noise = start, _START_PX
    stride = len(pairs) // _SAMPLE
    if stride > 1:
        # Most of the way takes a part of the matches; all of them end it.
        sample = pairs.take(np.arange(0, len(pairs), stride))
        rotation, noise, _ = _refined(sample, rotation, noise, _FIRST)
    rotation, noise, hessian = _refined(pairs, rotation, noise, _LAST if stride > 1 else _ITERATIONS)
    rotation = nearest_rotation(rotation)
    squared = (rotation_residuals(pairs, rotation) ** 2).sum(axis=0)
    inliers = squared < (INLIER_SCALE * noise) ** 2
    covariance = np.asarray(np.linalg.inv(hessian) * noise**2, np.float64)
    return RotationFit(rotation, covariance, noise, inliers)


def _refined(pairs: RayPairs, rotation: Array, noise: float, iterations: int) -> tuple[Array, float, Array]:
    """Return the rotation, the noise and the inverse covariance for a noise of one pixel."""
    hessian = np.eye(3)
    for _ in range(iterations):
        residuals = rotation_residuals(pairs, rotation)
        squared = residuals[0] ** 2 + residuals[1] ** 2
        noise = min(noise, _noise(squared, noise))
        weights = cauchy_weights(squared, 2.0 * noise) * (squared < (2.0 * INLIER_SCALE * noise) ** 2)
        by_x, by_y = _jacobian(pairs, rotation)
        hessian = (by_x * weights) @ by_x.T + (by_y * weights) @ by_y.T
        hessian += _UNIT * (1e-9 * hessian.trace() + 1e-12)
        weighted = residuals * weights
        step = -np.linalg.solve(hessian, by_x @ weighted[0] + by_y @ weighted[1])
        longest = float(np.abs(step).max())
        rotation = rotation_matrix(step * min(1.0, 0.3 / max(longest, 1e-12))) @ rotation
        if step @ hessian @ step < (_SMALL_STEP * noise) ** 2:
            break
    return rotation, noise, hessian


def _noise(squared: Array, limit: float) -> float:
    near = squared[squared < (2.0 * INLIER_SCALE * limit) ** 2]
    if len(near) == 0:
        return limit
    half = len(near) // 2
    median = float(np.partition(near, half)[half])
    return min(max(math.sqrt(median) / _RAYLEIGH_MEDIAN, NOISE_RANGE[0]), NOISE_RANGE[1])


def _jacobian(pairs: RayPairs, rotation: Array) -> tuple[Array, Array]:
    """Return the derivatives (3, N) of both residuals by a rotation vector w with R' = exp(w) R."""
    turned = rotation @ pairs.current
    x, y = turned[:2] / np.maximum(turned[2], 1e-6)
    product = x * y
    (a, b), (c, d) = pairs.reference_pixel * -np.sqrt(2.0)
    determinant = a * d - b * c
    by_x, by_y = np.empty((3, len(pairs))), np.empty((3, len(pairs)))
    for axis, (along_x, along_y) in enumerate(((-product, -1.0 - y * y), (1.0 + x * x, product), (-y, x))):
        by_x[axis] = (d * along_x - b * along_y) / determinant
        by_y[axis] = (a * along_y - c * along_x) / determinant
    return by_x, by_y
