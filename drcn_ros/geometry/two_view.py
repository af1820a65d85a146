# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What two views of one camera tell about its motion, from matches that are partly wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.covariance import as_ros, pose_covariance
from drcn_ros.geometry.epipolar import INLIER_SCALE, EpipolarFit, RayPairs, extended, polish, sampson
from drcn_ros.geometry.homography import decompose, fit_homography
from drcn_ros.geometry.rotation_only import RotationFit, fit_rotation, rotation_residuals
from drcn_ros.geometry.selection import MARGIN, Model, gric
from drcn_ros.geometry.start import starting_pose
from drcn_ros.geometry.types import Array, RelativePose

# Cells across and down for spreading matches, and how many matches a cell may always hold.
_GRID = (10, 8)
_FEWEST_IN_CELL, _MOST_IN_CELL = 4, 5
# Part of the spread matches that make a start good enough, and how many times more another one must have.
_WELL_SUPPORTED, _CLEARLY_MORE = 0.4, 1.2
# Radians between directions of translation that count as one pose.
_SAME_POSE = 0.03


class Failure(Enum):
    """Why two views gave no motion at all."""

    FEW_MATCHES = "too few matches"
    FEW_INLIERS = "too few matches agree"
    DEGENERATE = "the matches do not determine a motion"
    PLANAR = "all points lie on a plane and two motions explain them"


@dataclass(frozen=True)
class TwoView:
    """What the matches of two views tell.

    Attributes:
        model: GENERAL with a pose, ROTATION or IDENTITY without a translation, None with a `failure`.
        pose: T_ref_cur of the general model, else None.
        rotation: (3, 3) R_ref_cur of every model, else None.
        rotation_covariance: (3, 3) about the reference axes, or None.
        failure: why there is no model, or None.
        planar: whether all points lie on one plane.
        inliers: (M,) bool, one per match as given, those that agree with the model.
        parallax_px: median displacement of the inliers that no rotation explains, pixels.
        noise_px: standard deviation of the inliers' residuals.
        pairs: the matches that have rays.
        rows: (N,) their rows among all matches; the others lie outside the lens model or are not finite.
    """

    model: Model | None
    pose: RelativePose | None
    rotation: Array | None
    rotation_covariance: Array | None
    failure: Failure | None
    planar: bool
    inliers: NDArray[np.bool_]
    parallax_px: float | None
    noise_px: float | None
    pairs: RayPairs
    rows: NDArray[np.int64]

    @property
    def dropped(self) -> int:
        """How many matches have no ray."""
        return len(self.inliers) - len(self.rows)


def estimate_two_view(
    reference_points: Array,
    current_points: Array,
    camera: Camera,
    config: TwoViewConfig,
    predicted: tuple[Array, Array] | None = None,
    doubtful: NDArray[np.bool_] | None = None,
) -> TwoView:
    """Return the motion between two views of one camera; never raises for what the points hold.

    Args:
        reference_points: (M, 2) pixels of the reference image as received, best match first.
        current_points: (M, 2) pixels of the current image.
        camera: of both images.
        config: estimator and thresholds.
        predicted: (R, t) that the motion so far lets expect; decides only between two poses of a plane.
        doubtful: (M,) bool, matches that are left out of the search.
    """
    evidence = _Evidence(*ray_pairs(reference_points, current_points, camera), len(reference_points))
    pairs = evidence.pairs
    if len(pairs) < config.min_inliers:
        return evidence.failed(Failure.FEW_MATCHES)
    believed = None if doubtful is None else ~doubtful[evidence.rows]
    fit = _fit(pairs, camera.mean_focal, config, believed)
    turn = fit_rotation(pairs, np.eye(3) if fit is None else fit.rotation)
    return _select(evidence, fit, turn, config, predicted)


def _fit(
    pairs: RayPairs, focal: float, config: TwoViewConfig, believed: NDArray[np.bool_] | None
) -> EpipolarFit | None:
    """Return the essential matrix that most of the image supports, or None.

    The start is sought among matches spread evenly over the image, so that a textured object with a motion of
    its own does not outvote the rest, and at half the threshold first: a wide one takes two similar motions
    for one. Where that explains little, matches are imprecise, and the whole threshold gets its turn.
    """
    if believed is not None and not believed.all():
        if int(believed.sum()) < config.min_inliers:
            return None
        fit = _fit(pairs.take(believed), focal, config, None)
        return None if fit is None else extended(pairs, fit)
    rows = evenly_spread(pairs.reference)
    sample = pairs.take(rows)
    best: EpipolarFit | None = None
    for threshold in (0.5 * config.threshold_px, config.threshold_px):
        start = starting_pose(sample.reference[:2].T, sample.current[:2].T, focal, threshold, config)
        if start is None:
            continue
        fit = polish(pairs, *start)
        if best is None or fit.inliers[rows].mean() > _CLEARLY_MORE * best.inliers[rows].mean():
            best = fit
        if best.inliers[rows].mean() > _WELL_SUPPORTED:
            break
    return best


def evenly_spread(points: NDArray[Any]) -> NDArray[np.int64]:
    """Return rows of points (2 or more, N), best first: of each cell of a grid no more than usual.

    The best one of each cell comes first, then the second ones: what looks alike in both images because it
    moves with the camera has the best scores, and progressive sampling would hardly draw anything else.
    """
    low, high = points[:2].min(axis=1, keepdims=True), points[:2].max(axis=1, keepdims=True)
    grid = np.array(_GRID)[:, None]
    column, row = np.minimum(((points[:2] - low) / np.maximum(high - low, 1e-9) * grid).astype(int), grid - 1)
    order = np.argsort(column * _GRID[1] + row, kind="stable")
    cell = (column * _GRID[1] + row)[order]
    first = np.flatnonzero(np.append(True, cell[1:] != cell[:-1]))
    counts = np.diff(np.append(first, len(cell)))
    rank = np.arange(len(cell)) - np.repeat(first, counts)
    limit = np.clip(np.median(counts), _FEWEST_IN_CELL, _MOST_IN_CELL)
    chosen = rank < limit
    rows: NDArray[np.int64] = order[chosen][np.lexsort((order[chosen], rank[chosen]))]
    return rows


def ray_pairs(
    reference_points: Array, current_points: Array, camera: Camera
) -> tuple[RayPairs, NDArray[np.int64]]:
    """Return the matches that have rays, and their rows among all of them."""
    count = len(reference_points)
    rays, pixel = camera.rays(np.concatenate([reference_points, current_points]))
    finite = np.isfinite(rays[:, 0]) & np.isfinite(rays[:, 1])
    rows: NDArray[np.int64] = np.flatnonzero(finite[:count] & finite[count:])
    # Without distortion a pixel means the same everywhere.
    some = rows[:1] if camera.distortion is Distortion.NONE else rows
    both, by_pixel = np.ones((3, 2 * count)), np.moveaxis(pixel, 0, 2)
    both[:2] = rays.T
    pairs = RayPairs(
        both.take(count + rows, axis=1),
        both.take(rows, axis=1),
        by_pixel.take(count + some, axis=2),
        by_pixel.take(some, axis=2),
    )
    return pairs, rows


@dataclass(frozen=True)
class _Evidence:
    """The matches with rays, their rows, and how many matches there are in all."""

    pairs: RayPairs
    rows: NDArray[np.int64]
    count: int

    def mask(self, inliers: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the mask over all matches from one over those with rays."""
        mask = np.zeros(self.count, bool)
        mask[self.rows[inliers]] = True
        return mask

    def failed(self, failure: Failure) -> TwoView:
        """Return the result without a model."""
        nothing = np.zeros(self.count, bool)
        return TwoView(None, None, None, None, failure, False, nothing, None, None, self.pairs, self.rows)


def _select(
    evidence: _Evidence,
    fit: EpipolarFit | None,
    turn: RotationFit,
    config: TwoViewConfig,
    predicted: tuple[Array, Array] | None,
) -> TwoView:
    agreeing = 0 if fit is None else int(fit.inliers.sum())
    if max(agreeing, int(turn.inliers.sum())) < config.min_inliers:
        return evidence.failed(Failure.FEW_INLIERS)
    if fit is None or agreeing < config.min_inliers:
        return _without_translation(evidence, turn, turn.noise_px, turn.inliers, config)
    core = evidence.pairs.take(fit.inliers)
    noise = float(np.hypot(fit.noise_px, config.systematic_px))
    epipolar = gric(sampson(core, fit.rotation, fit.translation) ** 2, noise, Model.GENERAL)
    rotational = gric(_squared(core, turn.rotation), noise, Model.ROTATION)
    if rotational < epipolar + MARGIN * len(core):
        return _without_translation(evidence, turn, fit.noise_px, fit.inliers, config)
    plane = fit_homography(core, fit.noise_px)
    planar = plane is not None and gric(plane[1], noise, Model.PLANE) < epipolar
    if plane is not None and planar:
        chosen = _plane_pose(evidence.pairs, decompose(plane[0], core), fit, predicted)
        if chosen is None:
            return evidence.failed(Failure.PLANAR)
        fit = chosen
    return _with_translation(evidence, fit, turn, planar, config)


def _with_translation(
    evidence: _Evidence, fit: EpipolarFit, turn: RotationFit, planar: bool, config: TwoViewConfig
) -> TwoView:
    covariance = pose_covariance(evidence.pairs, fit)
    if covariance is None:
        return evidence.failed(Failure.DEGENERATE)
    if float(np.linalg.eigvalsh(covariance[3:, 3:])[-1]) > config.max_direction_deviation**2:
        return _without_translation(evidence, turn, fit.noise_px, fit.inliers, config)
    return TwoView(
        model=Model.GENERAL,
        pose=RelativePose(fit.rotation, fit.translation, as_ros(covariance, fit.translation)),
        rotation=fit.rotation,
        rotation_covariance=covariance[:3, :3],
        failure=None,
        planar=planar,
        inliers=evidence.mask(fit.inliers),
        parallax_px=_parallax(evidence.pairs.take(fit.inliers), turn.rotation),
        noise_px=fit.noise_px,
        pairs=evidence.pairs,
        rows=evidence.rows,
    )


def _without_translation(
    evidence: _Evidence,
    turn: RotationFit,
    noise_px: float,
    among: NDArray[np.bool_],
    config: TwoViewConfig,
) -> TwoView:
    if int(turn.inliers.sum()) < config.min_inliers:
        return evidence.failed(Failure.DEGENERATE)
    core = evidence.pairs.take(among)
    noise = float(np.hypot(noise_px, config.systematic_px))
    still = gric(_squared(core, np.eye(3)), noise, Model.IDENTITY)
    turned = gric(_squared(core, turn.rotation), noise, Model.ROTATION) < still - MARGIN * len(core)
    return TwoView(
        model=Model.ROTATION if turned else Model.IDENTITY,
        pose=None,
        rotation=turn.rotation if turned else np.eye(3),
        rotation_covariance=turn.covariance,
        failure=None,
        planar=False,
        inliers=evidence.mask(turn.inliers),
        parallax_px=_parallax(core, turn.rotation),
        noise_px=turn.noise_px,
        pairs=evidence.pairs,
        rows=evidence.rows,
    )


def _squared(pairs: RayPairs, rotation: Array) -> Array:
    squared: Array = (rotation_residuals(pairs, rotation) ** 2).sum(axis=0)
    return squared


def _plane_pose(
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
    fits.sort(key=lambda entry: _loss(pairs, entry, noise))
    best, second = fits[:2]
    clear = _loss(pairs, second, noise) - _loss(pairs, best, noise) > MARGIN * float(best.inliers.sum())
    if clear or _angle(best, second.translation) < _SAME_POSE:
        return best
    if predicted is None:
        return None
    near, far = sorted((best, second), key=lambda entry: _angle(entry, predicted[1]))
    return near if _angle(near, predicted[1]) < 0.5 * _angle(far, predicted[1]) else None


def _loss(pairs: RayPairs, fit: EpipolarFit, noise_px: float) -> float:
    squared = (sampson(pairs, fit.rotation, fit.translation) / noise_px) ** 2
    return float(np.log1p(np.minimum(squared, INLIER_SCALE**2)).sum())


def _angle(fit: EpipolarFit, translation: Array) -> float:
    return float(np.arccos(np.clip(fit.translation @ translation, -1.0, 1.0)))


def _parallax(pairs: RayPairs, rotation: Array) -> float:
    return float(np.median(np.sqrt(2.0 * _squared(pairs, rotation))))
