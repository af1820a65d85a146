# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which of the motions that two views of a plane allow is the right one."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.ray_pairs import RayPairs
from drcn_ros.geometry.refinement import EpipolarFit, polish
from drcn_ros.geometry.robust import INLIER_SCALE
from drcn_ros.geometry.selection import MARGIN
from drcn_ros.geometry.types import Array

# Radians between directions of translation that count as one pose.
_SAME_POSE = 0.03


def plane_pose(
    pairs: RayPairs,
    poses: list[tuple[Array, Array]],
    fit: EpipolarFit,
    predicted: tuple[Array, Array] | None,
) -> EpipolarFit | None:
    """Return the fit from one of the poses of a plane, or None when two explain the matches alike."""
    fits = [polish(pairs, *pose) for pose in poses] or [fit]
    if len(fits) == 1:
        return fits[0]
    noise = min(entry.noise_px for entry in fits)
    fits.sort(key=lambda entry: _loss(entry, noise))
    best, second = fits[:2]
    clear = _loss(second, noise) - _loss(best, noise) > MARGIN * float(best.inliers.sum())
    if clear or _angle(best, second.translation) < _SAME_POSE:
        return best
    if predicted is None:
        return None
    near, far = sorted((best, second), key=lambda entry: _angle(entry, predicted[1]))
    return near if _angle(near, predicted[1]) < 0.5 * _angle(far, predicted[1]) else None


def _loss(fit: EpipolarFit, noise_px: float) -> float:
    squared = (fit.residuals / noise_px) ** 2
    return float(np.log1p(np.minimum(squared, INLIER_SCALE**2)).sum())


def _angle(fit: EpipolarFit, translation: Array) -> float:
    return float(np.arccos(np.clip(fit.translation @ translation, -1.0, 1.0)))
