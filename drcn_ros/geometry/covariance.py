# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How certain a relative pose is."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.refinement import EpipolarFit
from drcn_ros.geometry.robust import cauchy_weights
from drcn_ros.geometry.rotation import tangent_basis
from drcn_ros.geometry.types import Array

# The length of a unit translation is unknown: its standard deviation in the covariance, in those units.
SCALE_DEVIATION = 10.0


def pose_covariance(fit: EpipolarFit) -> Array | None:
    """Return (5, 5) of rotation vector and tangent of the direction, as in `sampson_jacobian`.

    None where the matches do not determine all five.
    """
    rows = np.flatnonzero(fit.inliers)
    residuals, jacobian = fit.residuals[rows], fit.jacobian.take(rows, axis=1)
    hessian = jacobian @ jacobian.T
    values = np.linalg.eigvalsh(hessian)
    if not values[0] > 1e-12 * values[-1]:
        return None
    # Huber's covariance of an M-estimator (Huber and Ronchetti, Robust Statistics, section 7.6): the mean
    # square of the loss's slope over the square of its mean curvature, for the refinement's Cauchy loss.
    squared = residuals**2
    weights = cauchy_weights(squared, fit.noise_px)
    slope = float((weights**2 * squared).sum()) / max(len(residuals) - 5, 1)
    curvature = float(np.mean(weights**2 * (1.0 - squared / fit.noise_px**2)))
    if curvature < 1e-3:
        return None
    covariance: Array = np.linalg.inv(hessian) * (slope / curvature**2)
    return covariance


def as_ros(covariance: Array, translation: Array) -> Array:
    """Return (6, 6) in ROS's order, translation first, from `pose_covariance`.

    Along the direction of translation stands the square of `SCALE_DEVIATION`: the length is unknown.
    """
    expand = np.zeros((6, 5))
    expand[3:, :3] = np.eye(3)
    expand[:3, 3:] = tangent_basis(translation)
    result = expand @ covariance @ expand.T
    result[:3, :3] += SCALE_DEVIATION**2 * np.outer(translation, translation)
    symmetric: Array = 0.5 * (result + result.T)
    return symmetric
