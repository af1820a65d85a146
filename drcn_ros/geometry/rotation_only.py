# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Two views that differ by a rotation alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.batched_algebra import squared_length
from drcn_ros.geometry.ray_pairs import RayPairs, parallax
from drcn_ros.geometry.robust import INLIER_SCALE, NOISE_RANGE, cauchy_weights, median, over_relaxation
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import Array

_ITERATIONS = 8
_HALF = math.sqrt(0.5)
# Median of the length of a normal vector in the plane, per standard deviation of a component.
_RAYLEIGH_MEDIAN = 1.1774
_START_PX = 4.0
# A step so much shorter than its own standard deviation ends the refinement.
_SMALL_STEP = 0.3
_LONGEST_STEP = 0.3


@dataclass(frozen=True)
class RotationFit:
    """A rotation and the matches that it explains.

    Attributes:
        rotation: (3, 3) R_ref_cur.
        covariance: (3, 3) of the rotation vector about the reference axes, for the noise of the inliers.
        noise_px: standard deviation of a component of the inliers' residuals.
        squared: (N,) squared `rotation_residuals` of all matches, pixels^2.
        inliers: (N,) bool.
    """

    rotation: Array
    covariance: Array
    noise_px: float
    squared: Array
    inliers: NDArray[np.bool_]


def rotation_residuals(pairs: RayPairs, rotation: Array) -> Array:
    """Return the residuals (2, N), pixels, scaled to the noise of one point.

    Both points of a match are noisy, so the difference of the points is divided by the root of two.
    """
    residuals = parallax(pairs, rotation)
    residuals *= _HALF
    return residuals


def fit_rotation(pairs: RayPairs, start: Array) -> RotationFit:
    """Return the rotation next to `start` that explains most matches: Gauss-Newton with Cauchy weights."""
    rotation, noise = start, _START_PX
    jacobian = _jacobian(pairs)
    flat = jacobian.reshape(3, -1)
    for _ in range(_ITERATIONS):
        residuals = rotation_residuals(pairs, rotation)
        squared = squared_length(residuals)
        noise = min(noise, _noise(squared, noise))
        weights = cauchy_weights(squared, 2.0 * noise)
        weights *= squared < (2.0 * INLIER_SCALE * noise) ** 2
        weighted = (jacobian * weights).reshape(3, -1)
        hessian = weighted @ flat.T
        hessian.flat[::4] += 1e-9 * hessian.trace() + 1e-12
        step = -np.linalg.solve(hessian, weighted @ residuals.ravel())
        settled = step @ hessian @ step < (_SMALL_STEP * noise) ** 2
        step *= min(over_relaxation(weights, 2), _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        rotation = rotation_matrix(step) @ rotation
        if settled:
            break
    squared = squared_length(rotation_residuals(pairs, rotation))
    inliers = squared < (INLIER_SCALE * noise) ** 2
    covariance = np.asarray(np.linalg.inv(hessian) * noise**2, np.float64)
    return RotationFit(rotation, covariance, noise, squared, inliers)


def _noise(squared: Array, limit: float) -> float:
    near = squared[squared < (2.0 * INLIER_SCALE * limit) ** 2]
    if len(near) == 0:
        return limit
    return min(max(math.sqrt(median(near)) / _RAYLEIGH_MEDIAN, NOISE_RANGE[0]), NOISE_RANGE[1])


def _jacobian(pairs: RayPairs) -> Array:
    """Return the derivatives (3, 2, N) of the residuals by a rotation vector w with R' = exp(w) R.

    They are taken at the reference points, where the current ones come to lie: so they are the same for all
    steps, and as good as the residuals are small.
    """
    x, y = pairs.reference[:2]
    product = x * y
    by_rays = np.empty((3, 2, len(pairs)))
    by_rays[0, 0], by_rays[0, 1] = -product, -1.0 - y * y
    by_rays[1, 0], by_rays[1, 1] = 1.0 + x * x, product
    by_rays[2, 0], by_rays[2, 1] = -y, x
    to_pixel = pairs.to_pixel * -_HALF
    jacobian: Array = by_rays[:, :1] * to_pixel[:, 0]
    jacobian += by_rays[:, 1:] * to_pixel[:, 1]
    return jacobian
