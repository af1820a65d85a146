# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a rolling shutter adds to the uncertainty of a motion: rows are exposed at different times."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from drcn_ros.geometry.types import Array, RelativePose
from drcn_ros.odometry.types import Result

# Standard deviation of a row's time about the middle of the readout, as a part of it.
_SPREAD = 1.0 / math.sqrt(12.0)
# Less parallax than this does not tell a direction to better than a radian anyway, pixels.
_LEAST_PARALLAX = 0.5


def readout_px(result: Result, readout_s: float) -> float:
    """Return by how many pixels rows differ, as a standard deviation, for the speed of the matches.

    It is an upper estimate: a camera at a steady speed shifts both images alike.
    """
    if result.reference_stamp_ns is None or readout_s <= 0.0 or not result.inliers.any():
        return 0.0
    seconds = 1e-9 * (result.stamp_ns - result.reference_stamp_ns)
    if seconds <= 0.0:
        return 0.0
    matches = result.matches.select(result.inliers)
    shift = np.hypot(*(matches.current_points - matches.reference_points).T)
    return float(np.median(shift)) / seconds * readout_s * _SPREAD


def with_readout(result: Result, readout_s: float, focal: float) -> Result:
    """Return a result whose covariances hold what a rolling shutter may have changed.

    The error is shared by all matches, so that their number does not make it smaller: it turns the rotation
    by its angle, and the direction of translation by its part of the parallax.

    Args:
        result: of the odometry.
        readout_s: time from the first row's exposure to the last one's, 0 for a global shutter.
        focal: length, pixels.
    """
    noise = readout_px(result, readout_s)
    if noise == 0.0:
        return result
    turn: Array = (noise / focal) ** 2 * np.eye(3)
    rotation = None if result.rotation_covariance is None else result.rotation_covariance + turn
    pose = result.relative_pose
    if pose is not None:
        covariance = pose.covariance.copy()
        across = np.eye(3) - np.outer(pose.translation, pose.translation)
        part = noise / max(result.parallax_px or 0.0, _LEAST_PARALLAX)
        covariance[:3, :3] += part**2 * across
        covariance[3:, 3:] += turn
        pose = RelativePose(pose.rotation, pose.translation, covariance)
    return replace(result, relative_pose=pose, rotation_covariance=rotation)
