# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Odometry and map over a sequence: the path before and after loops were closed, and false loops."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import InputError
from drcn_ros.evaluation.estimates import estimated_path
from drcn_ros.evaluation.metrics.summary import AlignedPaths, align, ate_metrics
from drcn_ros.evaluation.report.plots import plot_path
from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import invert
from drcn_ros.mapping import Mapper, MappingConfig
from drcn_ros.mapping.from_result import tracked_frame
from drcn_ros.odometry.config import OdometryConfig
from drcn_ros.sequences import ImageSequence, Selection
from drcn_ros.sequences.trajectories.trajectory import Trajectory

# A loop is false when it is off by so many depths of the scene, or by this angle, radians.
_FALSE_DEPTHS, _FALSE_ANGLE = 0.5, 0.35


@dataclass(frozen=True)
class SlamRun:
    """A sequence with its map.

    Attributes:
        mapper: the finished map.
        before: the odometry's path, its segments end to end.
        seconds: wall time of the map alone, of all frames.
        slowest: of the frame that took longest.
    """

    mapper: Mapper
    before: Trajectory
    seconds: float
    slowest: float


@dataclass(frozen=True)
class PathError:
    """Error of a path after a similarity, and between places that are seen again.

    Attributes:
        rmse_m, percent: of all frames, and over the length of the path.
        gap_m: RMS of what loops that hold close: the error of one of their ends as seen from the other.
    """

    rmse_m: float | None
    percent: float | None
    gap_m: float | None


@dataclass(frozen=True)
class SlamReport:
    """What a map made of a sequence.

    Attributes:
        frames, keyframes, segments: their numbers.
        compared: pairs of keyframes that were looked at as candidates.
        loops, rejected: loops that hold, and those that contradict the rest.
        false_loops: loops that hold and that the truth contradicts; None without a truth.
        before, after: errors of the odometry's path and of the map's; None without a truth.
        scales: smallest and largest unit of the map to one of the odometry.
        ms_per_frame, slowest_ms: wall time of the map.
    """

    frames: int
    keyframes: int
    segments: int
    compared: int
    loops: int
    rejected: int
    false_loops: int | None
    before: PathError | None
    after: PathError | None
    scales: tuple[float, float]
    ms_per_frame: float
    slowest_ms: float


def run_slam(
    sequence: ImageSequence,
    selection: Selection,
    config: OdometryConfig,
    mapping: MappingConfig,
    on_frame: Callable[[], object] = lambda: None,
) -> SlamRun:
    """Run odometry and map over a sequence.

    Raises:
        InputError: it has no calibration, no frame, or is damaged.
        MissingDependencyError: GTSAM is not installed.
    """
    from drcn_ros.odometry.threads import use_threads
    from drcn_ros.odometry.visual_odometry import VisualOdometry

    if sequence.camera is None:
        msg = f"{sequence.name} has no calibration, so there are no poses to map; give one with --camera FILE"
        raise InputError(msg)
    mapper = Mapper(mapping)
    odometry = VisualOdometry(config, sequence.camera)
    use_threads(config.threads)
    stamps: list[int] = []
    poses: list[Array] = []
    segments: list[int] = []
    spent = [0.0]
    for frame in sequence.frames(selection):
        result = odometry.process(frame, with_descriptors=True)
        tracked = tracked_frame(result, sequence.camera, odometry.landmarks())
        begin = time.perf_counter()
        if tracked is not None:
            stamps.append(tracked.stamp_ns)
            poses.append(tracked.pose)
            segments.append(tracked.segment)
            mapper.add(tracked)
        spent.append(time.perf_counter() - begin)
        on_frame()
    if not stamps:
        msg = f"{sequence.name}: no frame could be placed, so there is nothing to map"
        raise InputError(msg)
    begin = time.perf_counter()
    mapper.finish()
    spent.append(time.perf_counter() - begin)
    before = estimated_path(stamps, np.array(poses), segments, [True] * len(stamps)).known
    return SlamRun(mapper, before, sum(spent), max(spent))


def judge_slam(run: SlamRun, truth: Trajectory | None) -> SlamReport:
    """Return the numbers of a run."""
    graph, path = run.mapper.graph(), run.mapper.path()
    after = Trajectory.from_poses(path.stamps_ns, path.poses)
    known = truth is not None and len(run.mapper) > 1
    errors: list[PathError | None] = [None, None]
    false_loops = None
    if known:
        ends = run.mapper.keyframe_path().stamps_ns[graph.loops]
        errors = [_error(trajectory, truth, ends) for trajectory in (run.before, after)]
        false_loops = _false_loops(run.mapper, truth)
    return SlamReport(
        frames=len(path),
        keyframes=len(run.mapper),
        segments=len(set(path.segments.tolist())),
        compared=run.mapper.compared,
        loops=len(graph.loops),
        rejected=len(graph.rejected),
        false_loops=false_loops,
        before=errors[0],
        after=errors[1],
        scales=(float(graph.scales.min()), float(graph.scales.max())),
        ms_per_frame=1e3 * run.seconds / len(path),
        slowest_ms=1e3 * run.slowest,
    )


def draw_paths(run: SlamRun, truth: Trajectory | None, file: Path) -> None:
    """Draw the path before and after closing beside the truth, PNG."""
    path = run.mapper.path()
    after = Trajectory.from_poses(path.stamps_ns, path.poses)
    plot_path({"odometry": align(run.before, truth), "map": align(after, truth)}, file)


def content(report: SlamReport) -> dict[str, Any]:
    """Return the report as it is written to a file."""
    return asdict(report)


def _error(path: Trajectory, truth: Trajectory | None, ends: NDArray[np.int64]) -> PathError:
    aligned = align(path, truth)
    metrics = ate_metrics(aligned)
    return PathError(metrics.rmse_m, metrics.percent_of_path, _gap(aligned, ends))


def _gap(paths: AlignedPaths, ends: NDArray[np.int64]) -> float | None:
    if paths.aligned is None or not len(ends):
        return None
    row_at = {int(stamp): row for row, stamp in enumerate(paths.stamps_ns)}
    squared = []
    for first, second in ends.tolist():
        if first in row_at and second in row_at:
            a, b = row_at[first], row_at[second]
            found, true = (invert(part[a]) @ part[b] for part in (paths.aligned, paths.truth))
            squared.append(float(((found - true)[:3, 3] ** 2).sum()))
    return float(np.sqrt(np.mean(squared))) if squared else None


def _false_loops(mapper: Mapper, truth: Trajectory | None) -> int:
    """Return how many loops that hold tell another motion than the truth does.

    Lengths are compared in depths of the scene, which the loops are measured in, so that no unit is needed.
    """
    assert truth is not None
    keyframes, graph = mapper.keyframe_path(), mapper.graph()
    poses, known = truth.at(keyframes.stamps_ns.tolist())
    fit = align(Trajectory.from_poses(keyframes.stamps_ns, keyframes.poses), truth)
    scale = ate_metrics(fit).scale or 1.0
    wrong = 0
    for loop in mapper.loops():
        if not known[loop.first] or not known[loop.second]:
            continue
        true = invert(poses[loop.first]) @ poses[loop.second]
        unit = scale * graph.scales[loop.first]
        apart = float(np.linalg.norm(unit * loop.similarity.translation - true[:3, 3]))
        turned = float(np.linalg.norm(rotation_vector(loop.similarity.rotation.T @ true[:3, :3])))
        wrong += apart > _FALSE_DEPTHS * unit * mapper.depth(loop.first) or turned > _FALSE_ANGLE
    return wrong
