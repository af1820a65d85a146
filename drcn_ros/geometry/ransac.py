# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A first relative pose from matches that are partly wrong: PoseLib's or OpenCV's random sampling."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import poselib

from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.rotation import nearest_rotation
from drcn_ros.geometry.types import Array

_CONFIDENCE = 0.99
# Samples by PoseLib's estimate of how many are needed, instead of three times as many, and the fewest.
_SAMPLES_FACTOR, _MIN_ITERATIONS = 1.0, 20
# Steps of PoseLib's own refinement at the end: another one follows here anyway.
_LAST_STEPS = 0


def starting_pose(
    reference: Array, current: Array, focal: float, threshold_px: float, config: TwoViewConfig
) -> tuple[Array, Array] | None:
    """Return (R, t) of T_ref_cur with |t| = 1, or None where the points determine none.

    Args:
        reference, current: (N, 2) normalised coordinates, best match first.
        focal: pixels per unit of them.
        threshold_px: inlier threshold, pixels.
        config: estimator, iterations, seed.
    """
    reference, current = np.ascontiguousarray(reference), np.ascontiguousarray(current)
    if len(reference) < 5 or min(np.ptp(reference, axis=0).max(), np.ptp(current, axis=0).max()) < 1e-9:
        return None
    estimate = _magsac if config.estimator == "magsac" else _poselib
    pose = estimate(reference, current, focal, threshold_px, config)
    if pose is None or not np.isfinite(np.column_stack(pose)).all():
        return None
    rotation, translation = pose
    length = float(np.linalg.norm(translation))
    if length < 1e-12:
        return None
    return nearest_rotation(rotation), translation / length


def _poselib(
    reference: Array, current: Array, focal: float, threshold_px: float, config: TwoViewConfig
) -> tuple[Array, Array] | None:
    lens = {"model": "SIMPLE_PINHOLE", "width": -1, "height": -1, "params": [focal, 0.0, 0.0]}
    options = {
        "max_epipolar_error": threshold_px,
        "min_iterations": min(_MIN_ITERATIONS, config.max_iterations),
        "max_iterations": config.max_iterations,
        "dyn_num_trials_mult": _SAMPLES_FACTOR,
        "progressive_sampling": config.by_score,
        "success_prob": _CONFIDENCE,
        "seed": config.seed,
    }
    # The first view is the current one, since PoseLib's pose leads from the first to the second.
    pose, _ = poselib.estimate_relative_pose(
        current * focal, reference * focal, lens, lens, options, {"max_iterations": _LAST_STEPS}
    )
    return np.asarray(pose.R, np.float64), np.asarray(pose.t, np.float64).ravel()


def _magsac(
    reference: Array, current: Array, focal: float, threshold_px: float, config: TwoViewConfig
) -> tuple[Array, Array] | None:
    found: Any
    # With the method's number OpenCV seeds its sampler itself, always alike.
    found, mask = cv2.findEssentialMat(
        current,
        reference,
        cameraMatrix=np.eye(3),
        method=cv2.USAC_MAGSAC,
        prob=_CONFIDENCE,
        threshold=threshold_px / focal,
        maxIters=config.max_iterations,
    )
    if found is None:
        return None
    most, best = -1, None
    for essential in np.asarray(found, np.float64).reshape(-1, 3, 3):
        # By keyword, since positional arguments can select another overload; far points are kept.
        count, rotation, translation = cv2.recoverPose(
            essential,
            current,
            reference,
            cameraMatrix=np.eye(3),
            distanceThresh=1e9,
            mask=mask.copy(),
        )[:3]
        if count > most:
            most = count
            best = np.asarray(rotation, np.float64), np.asarray(translation, np.float64).ravel()
    return best
