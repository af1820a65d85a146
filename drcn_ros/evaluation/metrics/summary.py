# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From the errors of single frames to the numbers that a run is judged by; None where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from drcn_ros.evaluation.metrics.accuracy import FAILED, THRESHOLDS, area_under_curve
from drcn_ros.evaluation.metrics.alignment import align_similarity
from drcn_ros.evaluation.metrics.pose_errors import PoseError, angle_between_rotations
from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.types import Array
from drcn_ros.sequences.trajectories.trajectory import Stamps, Trajectory

# Lengths of the KITTI benchmark, metres; a shorter path is cut by tenths of its own length.
_KITTI_LENGTHS = tuple(float(length) for length in range(100, 900, 100))
_KITTI_STEP = 10


@dataclass(frozen=True)
class Spread:
    """Median and 90th percentile."""

    median: float | None
    p90: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of some values, Nones without any."""
        if not len(values):
            return cls(None, None)
        return cls(float(np.median(values)), float(np.percentile(values, 90)))


@dataclass(frozen=True)
class RelativePoseMetrics:
    """How good the relative poses are.

    Attributes:
        pairs: frames whose rotation was judged.
        failed: frames with ground truth that should have had a pose and had none.
        unmoved: judged frames in which the camera moved too little to have a direction.
        direction_pairs: frames whose direction was judged.
        rotation_deg, direction_deg: errors.
        auc: area under the curve of the larger error of each pair, percent, by threshold in degrees;
            failed ones count with an infinite error.
    """

    pairs: int
    failed: int
    unmoved: int
    direction_pairs: int
    rotation_deg: Spread
    direction_deg: Spread
    auc: Mapping[str, float | None]


def relative_pose_metrics(errors: Iterable[PoseError], min_motion: float) -> RelativePoseMetrics:
    """Summarise the errors of all frames that have ground truth and should have a pose."""
    errors = list(errors)
    rotations = [error.rotation_deg for error in errors if error.rotation_deg is not None]
    directions = [error.direction_deg for error in errors if error.direction_deg is not None]
    larger = np.array([larger_error(error, min_motion) for error in errors])
    auc = {
        str(limit): float(area_under_curve(larger, limit)) if len(larger) else None for limit in THRESHOLDS
    }
    return RelativePoseMetrics(
        pairs=len(rotations),
        failed=len(errors) - len(rotations),
        unmoved=sum(error.rotation_deg is not None and error.moved_m < min_motion for error in errors),
        direction_pairs=len(directions),
        rotation_deg=Spread.of(rotations),
        direction_deg=Spread.of(directions),
        auc=auc,
    )


def larger_error(error: PoseError, min_motion: float) -> float:
    """Return the larger of both errors, degrees; what is missing and could be had counts as failed."""
    rotation = FAILED if error.rotation_deg is None else error.rotation_deg
    if error.moved_m < min_motion:
        return rotation
    return max(rotation, FAILED if error.direction_deg is None else error.direction_deg)


@dataclass(frozen=True)
class AteMetrics:
    """Absolute trajectory error after the best similarity.

    Attributes:
        rmse_m: root mean square of the distances, metres.
        percent_of_path: the same over the length of the true path.
        path_m: length of the true path over the judged frames.
        scale: of the similarity.
        poses: number of judged frames.
    """

    rmse_m: float | None
    percent_of_path: float | None
    path_m: float | None
    scale: float | None
    poses: int


@dataclass(frozen=True)
class AlignedPaths:
    """An estimated path, the true one at the same frames, and the similarity between them.

    Attributes:
        stamps_ns: (N,) of the frames for which both are known; without ground truth, of all.
        estimate: (N, 4, 4) as estimated.
        aligned: (N, 4, 4) after the similarity, or None where there is none.
        truth: (N, 4, 4), or (0, 4, 4) without ground truth.
        similarity: from `estimate` to `truth`, or None.
        oriented: whether the true rotations are known.
    """

    stamps_ns: Stamps
    estimate: Array
    aligned: Array | None
    truth: Array
    similarity: Similarity | None
    oriented: bool = True


def align(estimate: Trajectory, truth: Trajectory | None) -> AlignedPaths:
    """Bring an estimated path onto the true one."""
    if truth is None:
        return AlignedPaths(estimate.stamps_ns, estimate.poses, None, np.zeros((0, 4, 4)), None)
    poses, known = truth.at(estimate.stamps_ns)
    kept, true = estimate.poses[known], poses[known]
    similarity = align_similarity(kept[:, :3, 3], true[:, :3, 3])
    aligned = None if similarity is None else similarity.apply_to_poses(kept)
    return AlignedPaths(estimate.stamps_ns[known], kept, aligned, true, similarity, truth.oriented)


def path_lengths(poses: Array) -> Array:
    """Return the length (N,) of the path up to each of the poses (N, 4, 4)."""
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    return np.concatenate([np.zeros(min(1, len(poses))), np.cumsum(steps)])


def ate_metrics(paths: AlignedPaths) -> AteMetrics:
    """Judge the shape of the whole path."""
    if paths.aligned is None or paths.similarity is None:
        return AteMetrics(None, None, None, None, len(paths.truth))
    distances = np.linalg.norm(paths.aligned[:, :3, 3] - paths.truth[:, :3, 3], axis=1)
    rmse = float(np.sqrt(np.mean(distances**2)))
    length = float(path_lengths(paths.truth)[-1])
    percent = 100 * rmse / length if length > 0 else None
    return AteMetrics(rmse, percent, length, paths.similarity.scale, len(paths.truth))


@dataclass(frozen=True)
class KittiMetrics:
    """Errors over parts of the path of fixed lengths (Geiger et al., CVPR 2012).

    Attributes:
        alignment: what was done to the estimate before.
        lengths_m: of the parts.
        parts: number of judged parts.
        t_rel_percent: mean error of the translation over the length.
        r_rel_deg_per_100m: mean error of the rotation over the length.
    """

    alignment: str
    lengths_m: tuple[float, ...]
    parts: int
    t_rel_percent: float | None
    r_rel_deg_per_100m: float | None


def kitti_metrics(paths: AlignedPaths) -> KittiMetrics:
    """Judge parts of the path; they begin at every tenth frame and end where their length is reached."""
    if paths.aligned is None or not paths.oriented:
        return KittiMetrics("sim3", (), 0, None, None)
    along = path_lengths(paths.truth)
    lengths = _KITTI_LENGTHS
    if along[-1] <= lengths[0]:
        lengths = tuple(round(float(along[-1]) * tenth / 10, 6) for tenth in range(1, 9))
    translations, rotations = [], []
    for first in range(0, len(along), _KITTI_STEP):
        for length in lengths:
            last = int(np.searchsorted(along, along[first] + length, side="right"))
            if last >= len(along):
                continue
            estimate = np.linalg.inv(paths.aligned[first]) @ paths.aligned[last]
            truth = np.linalg.inv(paths.truth[first]) @ paths.truth[last]
            error = np.linalg.inv(estimate) @ truth
            translations.append(float(np.linalg.norm(error[:3, 3])) / length)
            rotations.append(angle_between_rotations(estimate[:3, :3], truth[:3, :3]) / length)
    return KittiMetrics(
        "sim3",
        lengths,
        len(translations),
        100 * float(np.mean(translations)) if translations else None,
        100 * float(np.mean(rotations)) if rotations else None,
    )


@dataclass(frozen=True)
class LatencyMetrics:
    """Median and 95th percentile of a stage, milliseconds."""

    median: float | None
    p95: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> LatencyMetrics:
        """Return those of some values, Nones without any."""
        if not len(values):
            return cls(None, None)
        return cls(float(np.median(values)), float(np.percentile(values, 95)))
