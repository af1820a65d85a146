# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Other ways from matches to a relative pose, which the project's own is compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import poselib

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.two_view import estimate_two_view
from drcn_ros.geometry.types import Array

Pose = tuple[Array, Array]
Estimator = Callable[[Array, Array, Camera], "Pose | None"]

_FEWEST = 5


def own(reference: Array, current: Array, camera: Camera, estimator: str = "poselib") -> Pose | None:
    """Return (R, t) of T_ref_cur as the odometry has it; None where it tells no translation."""
    config = TwoViewConfig(estimator=estimator)
    pose = estimate_two_view(reference, current, camera, config).pose
    return None if pose is None else (pose.rotation, pose.translation)


def own_magsac(reference: Array, current: Array, camera: Camera) -> Pose | None:
    """Return what `own` gives with OpenCV's start."""
    return own(reference, current, camera, "magsac")


def opencv(reference: Array, current: Array, camera: Camera, method: int) -> Pose | None:
    """Return the pose of OpenCV's essential matrix by a method's number, threshold 1 px, far points kept."""
    first, second = _rays(reference, current, camera)
    if len(first) < _FEWEST:
        return None
    found: Any
    found, mask = cv2.findEssentialMat(
        second,
        first,
        cameraMatrix=np.eye(3),
        method=method,
        prob=0.9999,
        threshold=1.0 / camera.mean_focal,
        maxIters=1000,
    )
    best, most = None, -1
    for essential in np.zeros((0, 3, 3)) if found is None else np.asarray(found).reshape(-1, 3, 3):
        count, rotation, translation = cv2.recoverPose(
            essential, second, first, cameraMatrix=np.eye(3), distanceThresh=1e9, mask=mask.copy()
        )[:3]
        if count > most:
            most, best = (
                count,
                (np.asarray(rotation, np.float64), np.asarray(translation, np.float64).ravel()),
            )
    return best


def opencv_ransac(reference: Array, current: Array, camera: Camera) -> Pose | None:
    """Return OpenCV's RANSAC, not refined."""
    return opencv(reference, current, camera, cv2.RANSAC)


def opencv_magsac(reference: Array, current: Array, camera: Camera) -> Pose | None:
    """Return OpenCV's MAGSAC++, not refined."""
    return opencv(reference, current, camera, cv2.USAC_MAGSAC)


def opencv_accurate(reference: Array, current: Array, camera: Camera) -> Pose | None:
    """Return OpenCV's USAC_ACCURATE, graph-cut RANSAC."""
    return opencv(reference, current, camera, cv2.USAC_ACCURATE)


def poselib_plain(reference: Array, current: Array, camera: Camera) -> Pose | None:
    """Return PoseLib's LO-RANSAC with its own refinement, threshold 1 px, else its defaults."""
    first, second = _rays(reference, current, camera)
    if len(first) < _FEWEST:
        return None
    focal = camera.mean_focal
    lens = {"model": "SIMPLE_PINHOLE", "width": -1, "height": -1, "params": [focal, 0.0, 0.0]}
    pose, _ = poselib.estimate_relative_pose(
        second * focal, first * focal, lens, lens, {"max_epipolar_error": 1.0, "seed": 0}, {}
    )
    return np.asarray(pose.R, np.float64), np.asarray(pose.t, np.float64).ravel()


ESTIMATORS: dict[str, Estimator] = {
    "OpenCV RANSAC": opencv_ransac,
    "OpenCV MAGSAC++": opencv_magsac,
    "OpenCV USAC_ACCURATE": opencv_accurate,
    "PoseLib": poselib_plain,
    "own, MAGSAC++ start": own_magsac,
    "own": own,
}


def _rays(reference: Array, current: Array, camera: Camera) -> tuple[Array, Array]:
    first, second = camera.normalise(reference), camera.normalise(current)
    finite = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
    return np.ascontiguousarray(first[finite]), np.ascontiguousarray(second[finite])
