# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Relative pose of two views from matches that are partly wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import cv2
import numpy as np
import poselib
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.epipolar import (
    RayPairs,
    inverse_depths,
    parallax,
    refine,
    sampson,
    sampson_jacobian,
)
from drcn_ros.geometry.rotation import nearest_rotation, tangent_basis
from drcn_ros.geometry.types import Array, RelativePose

# The length of a unit translation is unknown: its standard deviation in the covariance, in those units.
SCALE_DEVIATION = 10.0


class Failure(Enum):
    """Why two views gave no pose."""

    FEW_MATCHES = "too few matches"
    FEW_INLIERS = "too few matches agree"
    DEGENERATE = "the matches do not determine a motion"


@dataclass(frozen=True)
class TwoView:
    """What the matches of two views tell.

    Attributes:
        pose: T_ref_cur, or None with the `failure` that tells why.
        failure: None with a pose.
        inliers: (M,) bool, one per match as given.
        parallax_px: median displacement of the inliers that the rotation does not explain, pixels.
        noise_px: standard deviation of the inliers' distance to their epipolar lines, pixels.
        dropped: matches without a ray (outside the lens model or not finite).
    """

    pose: RelativePose | None
    failure: Failure | None
    inliers: NDArray[np.bool_]
    parallax_px: float | None
    noise_px: float | None
    dropped: int


def estimate_two_view(
    reference_points: Array, current_points: Array, camera: Camera, config: TwoViewConfig
) -> TwoView:
    """Return the relative pose of two views of one camera; never raises for what the points hold.

    Args:
        reference_points: (M, 2) pixels of the reference image as received, best match first.
        current_points: (M, 2) pixels of the current image.
        camera: of both images.
        config: estimator and thresholds.
    """
    count = len(reference_points)
    rays = np.hstack([camera.normalise(reference_points), camera.normalise(current_points)])
    usable = np.isfinite(rays).all(axis=1)
    rays = rays[usable]
    dropped = count - len(rays)
    if len(rays) < config.min_inliers:
        return _failed(Failure.FEW_MATCHES, count, dropped)
    pixel = np.diag([1.0 / camera.fx, 1.0 / camera.fy])[None]
    ones = np.ones((len(rays), 1))
    pairs = RayPairs(np.hstack([rays[:, 2:], ones]), np.hstack([rays[:, :2], ones]), pixel, pixel)
    start = _start(rays, camera.mean_focal, config)
    if start is None:
        return _failed(Failure.DEGENERATE, count, dropped)
    rotation, translation = refine(pairs, *start, scale_px=0.5 * config.threshold_px)
    good = _inliers(pairs, rotation, translation, 2.0 * config.threshold_px)
    if good.sum() < config.min_inliers:
        return _failed(Failure.FEW_INLIERS, count, dropped)
    residuals, jacobian = sampson_jacobian(pairs.take(good), rotation, translation)
    noise = max(1.4826 * float(np.median(np.abs(residuals))), 1e-3)
    covariance = _covariance(jacobian, translation, noise)
    if covariance is None:
        return _failed(Failure.DEGENERATE, count, dropped)
    inliers = np.zeros(count, bool)
    inliers[np.flatnonzero(usable)[good]] = True
    displacement = np.linalg.norm(parallax(pairs.take(good), rotation), axis=1)
    return TwoView(
        pose=RelativePose(rotation, translation, covariance),
        failure=None,
        inliers=inliers,
        parallax_px=float(np.nanmedian(displacement)),
        noise_px=noise,
        dropped=dropped,
    )


def _failed(failure: Failure, count: int, dropped: int) -> TwoView:
    return TwoView(None, failure, np.zeros(count, bool), None, None, dropped)


def _start(rays: Array, focal: float, config: TwoViewConfig) -> tuple[Array, Array] | None:
    """Return (R, t) from a robust estimator over rays (N, 4), reference x y and current x y."""
    reference = np.ascontiguousarray(rays[:, :2])
    current = np.ascontiguousarray(rays[:, 2:])
    if np.ptp(reference, axis=0).max() < 1e-9 or np.ptp(current, axis=0).max() < 1e-9:
        return None
    by = _magsac if config.estimator == "magsac" else _poselib
    pose = by(reference, current, focal, config)
    if pose is None or not np.isfinite(np.column_stack(pose)).all():
        return None
    rotation, translation = pose
    length = float(np.linalg.norm(translation))
    if length < 1e-12:
        return None
    return nearest_rotation(rotation), translation / length


def _poselib(
    reference: Array, current: Array, focal: float, config: TwoViewConfig
) -> tuple[Array, Array] | None:
    lens = {"model": "SIMPLE_PINHOLE", "width": -1, "height": -1, "params": [focal, 0.0, 0.0]}
    pose, _ = poselib.estimate_relative_pose(
        current * focal,
        reference * focal,
        lens,
        lens,
        {
            "max_epipolar_error": config.threshold_px,
            "min_iterations": min(100, config.max_iterations),
            "max_iterations": config.max_iterations,
            "seed": config.seed,
        },
        {},
    )
    return np.asarray(pose.R, np.float64), np.asarray(pose.t, np.float64).ravel()


def _magsac(
    reference: Array, current: Array, focal: float, config: TwoViewConfig
) -> tuple[Array, Array] | None:
    found: Any
    # With the method's number OpenCV seeds its sampler itself, always alike.
    found, mask = cv2.findEssentialMat(
        current,
        reference,
        cameraMatrix=np.eye(3),
        method=cv2.USAC_MAGSAC,
        prob=0.9999,
        threshold=config.threshold_px / focal,
        maxIters=config.max_iterations,
    )
    if found is None:
        return None
    most, best = -1, None
    for essential in np.asarray(found, np.float64).reshape(-1, 3, 3):
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


def _inliers(pairs: RayPairs, rotation: Array, translation: Array, threshold_px: float) -> NDArray[np.bool_]:
    """Return (N,) bool: near the epipolar line and not behind a camera; far points are kept."""
    near = np.abs(sampson(pairs, rotation, translation)) < threshold_px
    shift = parallax(pairs, rotation)
    far = np.einsum("ni,ni->n", shift, shift) < threshold_px**2
    by_reference, by_current = inverse_depths(pairs, rotation, translation)
    front = (by_reference > 0.0) & (by_current > 0.0)
    good: NDArray[np.bool_] = near & (front | far)
    return good


def _covariance(jacobian: Array, translation: Array, noise_px: float) -> Array | None:
    """Return (6, 6) in ROS's order from the derivatives (N, 5) of the inliers; None if undetermined."""
    hessian = jacobian.T @ jacobian
    values = np.linalg.eigvalsh(hessian)
    if values[0] <= 1e-12 * values[-1]:
        return None
    five = np.linalg.inv(hessian) * noise_px**2
    expand = np.zeros((6, 5))
    expand[3:, :3] = np.eye(3)
    expand[:3, 3:] = tangent_basis(translation)
    covariance = expand @ five @ expand.T
    covariance[:3, :3] += SCALE_DEVIATION**2 * np.outer(translation, translation)
    symmetric: Array = 0.5 * (covariance + covariance.T)
    return symmetric
