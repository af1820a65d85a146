# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the matches of one pair of images are worth, against its true pose or homography."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from drcn_ros.benchmarks.image_pairs import ImagePair
from drcn_ros.evaluation.metrics.accuracy import FAILED
from drcn_ros.evaluation.metrics.pose_errors import angle_between, angle_between_rotations
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.rotation import cross_matrix
from drcn_ros.geometry.two_view import estimate_two_view
from drcn_ros.geometry.types import Array
from drcn_ros.matching.types import Features, Matches

# A keypoint is found again if the other image has one so near, pixels (SuperPoint, DeTone et al. 2018).
_REPEATED_PX = 3.0


@dataclass(frozen=True)
class PairResult:
    """What one pair gave.

    Attributes:
        error: (seeds,) larger one of rotation and direction error, degrees; for views of a plane the mean
            distance of the corners mapped by the estimated and the true homography, pixels.
        rotation, direction: (seeds,) errors, degrees; None for views of a plane.
        distances: (M,) distance of each match to its epipolar line or true position, pixels.
        scores: (M,) of the matches.
        seconds: of extracting one image and matching.
        repeatability: share of the keypoints in the common area that the other image has too; None for
            frames of a sequence, where the place of a keypoint in the other frame is not known.
    """

    error: Array
    rotation: Array | None
    direction: Array | None
    distances: Array
    scores: Array
    seconds: float
    repeatability: float | None = None


def judge_pair(
    pair: ImagePair,
    features: tuple[Features, Features],
    matches: Matches,
    seconds: float,
    estimators: Sequence[TwoViewConfig],
) -> PairResult:
    """Return what a pair gave; `estimators` are those that find its pose, one for each seed."""
    reference = matches.reference_points.astype(np.float64)
    current = matches.current_points.astype(np.float64)
    scores = matches.scores.astype(np.float64)
    if pair.homography is not None:
        size = features[0].size
        error = np.full(len(estimators), _corner_error(reference, current, pair.homography, size))
        distances = np.linalg.norm(_mapped(pair.homography, reference) - current, axis=1)
        repeated = repeatability(features, pair.homography)
        return PairResult(error, None, None, distances, scores, seconds, repeated)
    assert pair.camera is not None
    assert pair.pose is not None
    rotation, direction = np.full(len(estimators), FAILED), np.full(len(estimators), FAILED)
    for run, estimator in enumerate(estimators):
        found = estimate_two_view(reference, current, pair.camera, estimator).pose
        if found is not None:
            rotation[run] = angle_between_rotations(found.rotation, pair.pose[:3, :3])
            direction[run] = angle_between(found.translation, pair.pose[:3, 3])
    distances = _distances(reference, current, pair.camera, pair.pose)
    return PairResult(np.maximum(rotation, direction), rotation, direction, distances, scores, seconds)


def repeatability(features: tuple[Features, Features], homography: Array) -> float | None:
    """Return the share of keypoints in the common area of two views of a plane that have a counterpart.

    Args:
        features: of the reference and of the current image.
        homography: (3, 3) from the first one's pixels to the second one's.

    Returns:
        None where no keypoint lies in the common area.
    """
    first, second = (np.asarray(view.points.cpu().numpy(), np.float64) for view in features)
    there = _mapped(homography, first)
    back = _mapped(np.asarray(np.linalg.inv(homography), np.float64), second)
    there = there[_inside(there, features[1].size)]
    second = second[_inside(back, features[0].size)]
    if len(there) + len(second) == 0:
        return None
    if len(there) == 0 or len(second) == 0:
        return 0.0
    near = np.linalg.norm(there[:, None] - second, axis=2) <= _REPEATED_PX
    return float(near.any(axis=1).sum() + near.any(axis=0).sum()) / (len(there) + len(second))


def _inside(points: Array, size: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray(((points >= 0) & (points <= np.array(size) - 1)).all(axis=1), np.bool_)


def _distances(reference: Array, current: Array, camera: Camera, pose: Array) -> Array:
    """Return the Sampson distances (M,) of matches under the true pose, pixels; infinite without a ray.

    Hartley and Zisserman, section 11.4.3, on normalised coordinates, times the focal length.
    """
    ones = np.ones((len(reference), 1))
    first, second = (np.hstack([camera.normalise(points), ones]) for points in (reference, current))
    essential = cross_matrix(pose[:3, 3]) @ pose[:3, :3]
    in_first, in_second = second @ essential.T, first @ essential
    squared = (in_first[:, :2] ** 2).sum(axis=1) + (in_second[:, :2] ** 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = camera.mean_focal * np.abs((first * in_first).sum(axis=1)) / np.sqrt(squared)
    return np.where(np.isfinite(distances), distances, np.inf)


def _corner_error(reference: Array, current: Array, truth: Array, size: tuple[int, int]) -> float:
    """Return the mean distance of the mapped image corners, pixels."""
    if len(reference) < 4:
        return FAILED
    estimate, _ = cv2.findHomography(
        reference, current, cv2.USAC_MAGSAC, 1.0, maxIters=2000, confidence=0.9999
    )
    found: Any = estimate
    if found is None:
        return FAILED
    right, bottom = size[0] - 1.0, size[1] - 1.0
    corners = np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])
    distance = np.linalg.norm(
        _mapped(np.asarray(found, np.float64), corners) - _mapped(truth, corners), axis=1
    ).mean()
    return min(float(distance), FAILED)


def _mapped(homography: Array, points: Array) -> Array:
    mapped = points @ homography[:, :2].T + homography[:, 2]
    result: Array = mapped[:, :2] / mapped[:, 2:]
    return result
