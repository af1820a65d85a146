# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What two views of one camera tell about its motion, from matches that are partly wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.batched_algebra import squared_length
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.chance import beyond_chance
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.covariance import as_ros, pose_covariance
from drcn_ros.geometry.epipolar import sampson
from drcn_ros.geometry.homography import decompose, fit_homography
from drcn_ros.geometry.planar_pose import plane_pose
from drcn_ros.geometry.ransac import starting_pose
from drcn_ros.geometry.ray_pairs import RayPairs, ray_pairs
from drcn_ros.geometry.refinement import EpipolarFit, agreeing, extended, polish
from drcn_ros.geometry.robust import INLIER_SCALE, NOISE_RANGE, median
from drcn_ros.geometry.rotation_only import RotationFit, fit_rotation, rotation_residuals
from drcn_ros.geometry.selection import MARGIN, Model, gric
from drcn_ros.geometry.spreading import evenly_spread
from drcn_ros.geometry.types import Array, RelativePose

# Part of the spread matches that make a start good enough, and how many times more another one must have.
_WELL_SUPPORTED, _CLEARLY_MORE = 0.4, 1.2
# Matches that determine an essential matrix, and a rotation.
_DETERMINING, _DETERMINING_A_TURN = 5, 2


class Failure(Enum):
    """Why two views gave no motion at all."""

    FEW_MATCHES = "too few matches"
    FEW_INLIERS = "too few matches agree"
    CHANCE = "no more agree on a motion than wrong ones do by chance"
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
    enough = fit is not None and int(fit.inliers.sum()) >= config.min_inliers
    if fit is not None and enough and _is_supported(pairs, fit, config):
        found = _select(evidence, fit, config, predicted)
        # Mirrored and arbitrary matches have motions too; these move points by more than the image holds.
        absurd = found.parallax_px is not None and found.parallax_px > math.hypot(camera.width, camera.height)
        return evidence.failed(Failure.DEGENERATE) if absurd else found
    turn = fit_rotation(pairs, np.eye(3) if fit is None else fit.rotation)
    if int(turn.inliers.sum()) < config.min_inliers:
        return evidence.failed(Failure.CHANCE if enough else Failure.FEW_INLIERS)
    if not _is_supported_turn(pairs, turn, config):
        return evidence.failed(Failure.CHANCE)
    return _without_translation(evidence, turn, turn.noise_px, turn.inliers, config)


def _is_supported(pairs: RayPairs, fit: EpipolarFit, config: TwoViewConfig) -> bool:
    """Whether more matches agree with an essential matrix than by chance."""

    def agree(others: RayPairs) -> NDArray[np.bool_]:
        distances = sampson(others, fit.rotation, fit.translation)
        return agreeing(others, fit.rotation, fit.translation, fit.noise_px, distances)

    count = int(fit.inliers.sum())
    return beyond_chance(pairs, count, _DETERMINING, config.max_iterations, agree)


def _is_supported_turn(pairs: RayPairs, turn: RotationFit, config: TwoViewConfig) -> bool:
    """Whether more matches agree with a rotation than by chance."""
    limit = (INLIER_SCALE * turn.noise_px) ** 2

    def agree(others: RayPairs) -> NDArray[np.bool_]:
        return squared_length(rotation_residuals(others, turn.rotation)) < limit

    count = int(turn.inliers.sum())
    return beyond_chance(pairs, count, _DETERMINING_A_TURN, config.max_iterations, agree)


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
    sample = pairs.rays.take(rows, axis=1)
    best: EpipolarFit | None = None
    for threshold in (0.5 * config.threshold_px, config.threshold_px):
        start = starting_pose(sample[3:5].T, sample[:2].T, focal, threshold, config)
        if start is None:
            continue
        fit = polish(pairs, *start)
        if best is None or fit.inliers[rows].mean() > _CLEARLY_MORE * best.inliers[rows].mean():
            best = fit
        if best.inliers[rows].mean() > _WELL_SUPPORTED:
            break
    return best


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
    evidence: _Evidence, fit: EpipolarFit, config: TwoViewConfig, predicted: tuple[Array, Array] | None
) -> TwoView:
    core = evidence.pairs.take(fit.inliers)
    noise = float(np.hypot(fit.noise_px, config.systematic_px))
    epipolar = gric(fit.residuals[fit.inliers] ** 2, noise, Model.GENERAL)
    turn = fit_rotation(evidence.pairs, fit.rotation)
    unexplained = turn.squared[fit.inliers]
    if gric(unexplained, noise, Model.ROTATION) < epipolar + MARGIN * len(core):
        return _without_translation(evidence, turn, fit.noise_px, fit.inliers, config)
    plane = fit_homography(core, fit.noise_px)
    planar = plane is not None and gric(plane[1], noise, Model.PLANE) < epipolar
    if plane is not None and planar:
        chosen = plane_pose(evidence.pairs, decompose(plane[0], core), fit, predicted)
        if chosen is None:
            return evidence.failed(Failure.PLANAR)
        if int(chosen.inliers.sum()) < config.min_inliers:
            return evidence.failed(Failure.FEW_INLIERS)
        fit, unexplained = chosen, turn.squared[chosen.inliers]
    return _with_translation(evidence, fit, turn, unexplained, planar, config)


def _with_translation(
    evidence: _Evidence,
    fit: EpipolarFit,
    turn: RotationFit,
    unexplained: Array,
    planar: bool,
    config: TwoViewConfig,
) -> TwoView:
    covariance = pose_covariance(fit)
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
        parallax_px=_parallax(unexplained),
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
    if turn.noise_px >= NOISE_RANGE[1]:
        # So wide a band holds matches by chance; a car that drives is not told to stand by them.
        return evidence.failed(Failure.FEW_INLIERS)
    core = evidence.pairs.take(among)
    noise = float(np.hypot(noise_px, config.systematic_px))
    moved = squared_length(rotation_residuals(core, np.eye(3)))
    unexplained = turn.squared[among]
    still = gric(moved, noise, Model.IDENTITY)
    turned = gric(unexplained, noise, Model.ROTATION) < still - MARGIN * len(core)
    if median(unexplained if turned else moved) > (INLIER_SCALE * noise) ** 2:
        # GRIC only compares: of two models that both explain next to nothing it names the simpler one.
        return evidence.failed(Failure.DEGENERATE)
    return TwoView(
        model=Model.ROTATION if turned else Model.IDENTITY,
        pose=None,
        rotation=turn.rotation if turned else np.eye(3),
        rotation_covariance=turn.covariance,
        failure=None,
        planar=False,
        inliers=evidence.mask(turn.inliers),
        parallax_px=_parallax(unexplained),
        noise_px=turn.noise_px,
        pairs=evidence.pairs,
        rows=evidence.rows,
    )


def _parallax(squared: Array) -> float:
    """Return the median displacement, pixels, from squared `rotation_residuals` (N,)."""
    return math.sqrt(2.0 * median(squared))
