# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The motion between a frame and its reference, with its length and covariance."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.types import RelativePose
from drcn_ros.geometry.uncertain_pose import UncertainPose
from drcn_ros.odometry.states import State
from drcn_ros.odometry.types import Result


def motion_of(result: Result) -> UncertainPose | None:
    """Return the motion since the reference in the unit of the path, or None where none was found."""
    if result.relative_pose is not None:
        return scaled(result.relative_pose, result.step_length, result.step_deviation)
    if result.rotation is None or result.rotation_covariance is None:
        return None
    matrix, covariance = np.eye(4), np.zeros((6, 6))
    matrix[:3, :3], covariance[3:, 3:] = result.rotation, result.rotation_covariance
    if result.state is State.STATIONARY:
        # What moves the image as little as the noise does: an angle, or that angle at a distance of one unit.
        covariance[:3, :3] = np.trace(result.rotation_covariance) * np.eye(3)
    return UncertainPose(matrix, covariance)


def scaled(relative: RelativePose, length: float | None, deviation: float | None) -> UncertainPose:
    """Return the motion with its translation in the unit of the path.

    A unit step and a guess keep the variance of an unknown length, in proportion to it.
    """
    if length is None:
        return UncertainPose(relative.matrix(), relative.covariance)
    matrix, scale = relative.matrix(), np.diag([length] * 3 + [1.0] * 3)
    matrix[:3, 3] *= length
    covariance = scale @ relative.covariance @ scale
    if deviation is not None and 0.0 < deviation < np.inf:
        along = np.outer(relative.translation, relative.translation)
        known = relative.translation @ covariance[:3, :3] @ relative.translation
        covariance[:3, :3] += (deviation**2 - known) * along
    return UncertainPose(matrix, covariance)
