# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Whether two keyframes show the same place, and how they stand to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.rotation_only import fit_rotation
from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.triangulation import triangulate
from drcn_ros.geometry.two_view import Failure, estimate_two_view
from drcn_ros.geometry.types import Array, RelativePose
from drcn_ros.mapping.config import LoopConfig
from drcn_ros.mapping.nearest import mutual_nearest
from drcn_ros.mapping.similarity_fit import SeenPoints, SharedDepths, SimilarityFit, fit_similarity
from drcn_ros.mapping.types import FramePoints, Loop

# R_first_second, and the pose of two views where there is one.
Motion = tuple[Array, RelativePose | None]

# Standard deviation of a keypoint, pixels, and the distance to the epipolar line that the search allows.
_NOISE_PX, _THRESHOLD_PX = 1.0, 2.0
# Matches with a depth that each camera must know, and the part of them that must agree with the similarity,
# also where no essential matrix has sorted them out.
_FEWEST_DEPTHS, _AGREE, _AGREE_ALONE = 10, 0.5, 0.7
_AGREE_DEVIATIONS = 3.0
_DEPTH_NOISE = 0.05
# Neighbouring keypoints are off together, so that their number makes the fit less certain than it looks.
_SHARED = 16.0
# Least deviations: a part of the depth of the scene, radians, and a part of the scale.
_LEAST_PART, _LEAST_ANGLE, _LEAST_SCALE = 5e-3, 1e-3, 5e-3
# Largest ones of a loop that is of any use: radians, and a part of the scale.
_LARGEST_ANGLE, _LARGEST_SCALE = 0.1, 0.15
# The inliers' standard deviation along the narrower direction, as a part of the keypoints' own.
_SPREAD = 0.25


@dataclass(frozen=True)
class Correspondence:
    """Matched points of two keyframes: rows of the points of both, the most certain pair first."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)


def matched_by_descriptors(first: FramePoints, second: FramePoints, config: LoopConfig) -> Correspondence:
    """Return the points of two keyframes whose descriptors find each other."""
    return Correspondence(*mutual_nearest(first.descriptors, second.descriptors, config.ratio))


def verified(
    numbers: tuple[int, int],
    first: FramePoints,
    second: FramePoints,
    pairs: Correspondence,
    config: LoopConfig,
) -> Loop | None:
    """Return the loop that matches of two keyframes make, or None where they make none.

    The essential matrix of the package's own estimator tells which matches agree; the depths of these, which
    the odometry knows in both keyframes, give the length of the way between them and the ratio of scales.
    """
    if len(pairs) < config.min_inliers:
        return None
    focal = _focal(first)
    camera = _pinhole(first, second, focal)
    seen = first.rays[pairs.first], second.rays[pairs.second]
    centre = np.array([camera.cx, camera.cy])
    two_view = estimate_two_view(
        seen[0] * focal + centre,
        seen[1] * focal + centre,
        camera,
        TwoViewConfig(threshold_px=_THRESHOLD_PX, min_inliers=config.min_inliers),
    )
    good, rotation, needed = np.flatnonzero(two_view.inliers), two_view.rotation, _AGREE
    if two_view.failure is Failure.PLANAR:
        # A plane from nearly the same place: depths decide between its two motions, beginning at a rotation.
        turn = fit_rotation(two_view.pairs, np.eye(3))
        good, rotation, needed = two_view.rows, turn.rotation, _AGREE_ALONE
    if rotation is None or len(good) < max(config.min_inliers, config.min_share * len(pairs)):
        return None
    if not _is_spread(seen[0][good], first.rays) or not _is_spread(seen[1][good], second.rays):
        return None
    rows = Correspondence(pairs.first[good], pairs.second[good])
    fit = _fit(first, second, rows, (rotation, two_view.pose), _NOISE_PX / focal)
    if fit is None:
        return None
    errors = np.concatenate(fit.errors)
    if float(np.mean(errors < _AGREE_DEVIATIONS)) < needed:
        return None
    covariance = _honest(fit, float(np.nanmedian(first.depths)))
    deviations = np.sqrt(np.diag(covariance))
    if deviations[3:6].max() > _LARGEST_ANGLE or deviations[6] > _LARGEST_SCALE:
        return None
    inliers = len(good) if needed == _AGREE else round(float(np.mean(errors < _AGREE_DEVIATIONS)) * len(good))
    return Loop(*numbers, fit.similarity, covariance, inliers)


def _focal(points: FramePoints) -> float:
    """Return pixels to a radian near the axis, from the keypoints themselves."""
    spread = points.pixels.astype(np.float64).std(axis=0), np.nanstd(points.rays, axis=0)
    return float(np.mean(spread[0] / np.maximum(spread[1], 1e-9)))


def _pinhole(first: FramePoints, second: FramePoints, focal: float) -> Camera:
    """Return a camera without distortion that sees the rays of both frames."""
    reach = np.nanmax(np.abs(np.concatenate([first.rays, second.rays])), axis=0)
    width, height = (max(2, int(np.ceil(2.0 * focal * side)) + 2) for side in reach)
    return Camera(width, height, focal, focal, 0.5 * (width - 1), 0.5 * (height - 1))


def _is_spread(inliers: Array, rays: Array) -> bool:
    """Return whether the inliers reach over more than a small part of what the frame shows."""
    own = np.linalg.eigvalsh(np.cov(inliers.T))
    frame = np.linalg.eigvalsh(np.cov(rays.T))
    return bool(own[0] > _SPREAD**2 * frame[0])


def _fit(
    first: FramePoints, second: FramePoints, rows: Correspondence, motion: Motion, noise: float
) -> SimilarityFit | None:
    of_first = _seen(first, rows.first, second.rays[rows.second])
    of_second = _seen(second, rows.second, first.rays[rows.first])
    if min(len(of_first), len(of_second)) < _FEWEST_DEPTHS:
        return None
    shared = _shared(first, second, rows)
    fits = [
        fit
        for start in _starts(first, second, rows, motion)
        if (fit := fit_similarity(start, of_first, of_second, shared, noise)) is not None
    ]
    return min(fits, key=_cost, default=None)


def _seen(points: FramePoints, rows: NDArray[np.int64], seen: Array) -> SeenPoints:
    known = np.flatnonzero(np.isfinite(points.depths[rows]) & np.isfinite(points.deviations[rows]))
    rows, seen = rows[known], seen[known]
    depths = points.depths[rows]
    places = np.column_stack([points.rays[rows], np.ones(len(rows))]) * depths[:, None]
    return SeenPoints(places, points.deviations[rows] / depths, seen)


def _shared(first: FramePoints, second: FramePoints, rows: Correspondence) -> SharedDepths:
    depths = first.depths[rows.first], second.depths[rows.second]
    deviations = np.hypot(
        first.deviations[rows.first] / depths[0], second.deviations[rows.second] / depths[1]
    )
    known = np.flatnonzero(np.isfinite(depths[0] + depths[1] + deviations))
    rays = np.column_stack([second.rays[rows.second[known]], np.ones(len(known))])
    # Two depths of one point differ by more than they tell: both may be of a point beside it.
    noise = np.hypot(deviations[known], _DEPTH_NOISE)
    return SharedDepths(rays * depths[1][known, None], depths[0][known], noise)


def _starts(
    first: FramePoints, second: FramePoints, rows: Correspondence, motion: Motion
) -> list[Similarity]:
    """Return where to look for the similarity: without a way between both, and by the essential matrix."""
    rotation, pose = motion
    depths = first.depths[rows.first], second.depths[rows.second]
    ratio = depths[0] / depths[1]
    scale = float(np.nanmedian(ratio)) if np.isfinite(ratio).any() else 1.0
    starts = [Similarity(rotation, np.zeros(3), scale)]
    if pose is None:
        return starts
    rays = first.rays[rows.first], second.rays[rows.second]
    points, _ = triangulate(*rays, rotation, pose.translation)
    moved = (points - pose.translation) @ rotation
    lengths = []
    for known, found in zip(depths, (points[:, 2], moved[:, 2]), strict=True):
        ratio = known / found
        ratio = ratio[np.isfinite(ratio) & (ratio > 0.0)]
        if len(ratio) < _FEWEST_DEPTHS:
            return starts
        lengths.append(float(np.median(ratio)))
    place = lengths[0] * pose.translation
    return [*starts, Similarity(rotation, place, lengths[0] / lengths[1])]


def _cost(fit: SimilarityFit) -> float:
    return float(np.log1p(np.concatenate(fit.errors) ** 2).sum())


def _honest(fit: SimilarityFit, depth: float) -> Array:
    floor = [(_LEAST_PART * depth) ** 2] * 3 + [_LEAST_ANGLE**2] * 3 + [_LEAST_SCALE**2]
    covariance: Array = _SHARED * fit.covariance + np.diag(floor)
    return covariance
