# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How certain a relative pose is."""

from __future__ import annotations

import math

import numpy as np

from drcn_ros.geometry.refinement import EpipolarFit
from drcn_ros.geometry.robust import INLIER_SCALE, cauchy_weights
from drcn_ros.geometry.rotation import tangent_basis
from drcn_ros.geometry.types import Array

# What the mean curvature loses where the slope falls to zero at the inliers' limit, for normal noise: both
# limits' densities times the slope there.
_EDGE = (
    2.0 * INLIER_SCALE / (1.0 + INLIER_SCALE**2) * math.exp(-0.5 * INLIER_SCALE**2) / math.sqrt(2.0 * math.pi)
)
# The length of a unit translation is unknown: its standard deviation in the covariance, in those units.
SCALE_DEVIATION = 10.0


def pose_covariance(fit: EpipolarFit) -> Array | None:
    """Return (5, 5) of rotation vector and tangent of the direction, as in `sampson_jacobian`.

    None where the matches do not determine all five. Huber's covariance of an M-estimator for p parameters
    from n residuals (Huber and Ronchetti, Robust Statistics, section 7.6): the mean squared slope of the loss
    over its squared mean curvature, with the correction for few residuals of Huber, Robust regression, Annals
    of Statistics 1 (1973): the square of 1 + p / n times the variance of the curvature over its squared mean.
    The loss is the refinement's, Cauchy's up to `INLIER_SCALE` times the noise. Since that scale is itself
    estimated, errors in its units follow Student's distribution, whose variance is larger by 1 + the relative
    variance of the scale, to first order.
    """
    rows = np.flatnonzero(fit.inliers)
    residuals, jacobian = fit.residuals[rows], fit.jacobian.take(rows, axis=1)
    hessian = jacobian @ jacobian.T
    values = np.linalg.eigvalsh(hessian)
    if not values[0] > 1e-12 * values[-1]:
        return None
    squared = residuals**2
    weights = cauchy_weights(squared, fit.noise_px)
    count, slopes, curvatures = len(residuals), weights**2 * squared, weights * (2.0 * weights - 1.0)
    slope = float(slopes.sum()) / max(count - 5, 1)
    curvature = float(curvatures.mean()) - _EDGE
    if curvature < 1e-3:
        return None
    correction = 1.0 + 5.0 / count * float(curvatures.var()) / curvature**2
    # Made-up matches can be exact, down to the last bit.
    relative = slopes / max(slope, 1e-30)
    uncertain = 1.0 + float((relative - 2.0 / curvature * curvatures).var()) / count
    covariance: Array = np.linalg.inv(hessian) * (slope * (correction / curvature) ** 2 * uncertain)
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
