# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of each frame's result, whether it was computed here or published by a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array
from drcn_ros.odometry.states import State
from drcn_ros.odometry.types import Result
from drcn_ros.sequences.trajectories.trajectory import Trajectory

STAGES = ("extract", "match", "geometry", "total")

# States in which the place of the camera is known, up to scale.
_PLACED = (State.INITIALIZING, State.TRACKING, State.ROTATION_ONLY, State.STATIONARY)


@dataclass(frozen=True)
class Correspondences:
    """Matched points of one frame, pixels.

    Attributes:
        reference_points, current_points: (M, 2).
        inliers: (M,) bool.
        left_out: (rows, columns) parts of the current image that do not count, or None.
    """

    reference_points: NDArray[np.float32]
    current_points: NDArray[np.float32]
    inliers: NDArray[np.bool_]
    left_out: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class FrameEstimate:
    """One frame's result without its points.

    Attributes:
        stamp_ns: of the frame.
        state, reason, detail: as in `Result`.
        keypoints, matches, inliers: their numbers.
        parallax_px: or None.
        reference_stamp_ns: stamp of the frame that it was matched with, or None.
        rotation: (3, 3) of T_ref_cur, or None.
        direction: (3,) of T_ref_cur, or None.
        pose: (4, 4) accumulated T_start_cur.
        segment: counts restarts.
        latency_ms: wall time by stage.
        still_part: part of the image, 0 to 1, that was found to stand still while the camera moves.
    """

    stamp_ns: int
    state: State
    reason: str
    detail: str
    keypoints: int
    matches: int
    inliers: int
    parallax_px: float | None
    reference_stamp_ns: int | None
    rotation: Array | None
    direction: Array | None
    pose: Array
    segment: int
    latency_ms: Mapping[str, float]
    still_part: float = 0.0

    @property
    def placed(self) -> bool:
        """Whether the accumulated pose holds at this frame."""
        return self.state in _PLACED


def estimate_of(result: Result) -> FrameEstimate:
    """Return what is kept of a result."""
    relative = result.relative_pose
    # A camera that only turns has a rotation and no relative pose.
    rotation = result.rotation if relative is None else relative.rotation
    return FrameEstimate(
        stamp_ns=result.stamp_ns,
        state=result.state,
        reason=result.reason.name,
        detail=result.detail,
        keypoints=len(result.keypoints),
        matches=len(result.matches),
        inliers=int(result.inliers.sum()),
        parallax_px=result.parallax_px,
        reference_stamp_ns=result.reference_stamp_ns,
        rotation=rotation,
        direction=None if relative is None else relative.translation,
        pose=result.pose,
        segment=result.segment,
        latency_ms={stage: float(getattr(result.latency, f"{stage}_ms")) for stage in STAGES},
        still_part=result.still_part,
    )


def correspondences_of(result: Result) -> Correspondences:
    """Return the matches of a result."""
    matches = result.matches
    return Correspondences(matches.reference_points, matches.current_points, result.inliers, result.left_out)


@dataclass(frozen=True)
class EstimatedPath:
    """The accumulated poses of a run as one path; a restart goes on from the last known pose.

    Attributes:
        known: poses of the frames at which the camera's place is known.
        every: (N, 4, 4) a pose for each frame; unknown ones repeat the last that was known.
    """

    known: Trajectory
    every: Array


def estimated_path(
    stamps_ns: Sequence[int], poses: Array, segments: Sequence[int], placed: Sequence[bool]
) -> EstimatedPath:
    """Join the segments of a run.

    Args:
        stamps_ns: (N,) of the frames.
        poses: (N, 4, 4) accumulated since the start of the frame's segment.
        segments: (N,) numbers.
        placed: (N,) whether the pose is known.
    """
    every = np.tile(np.eye(4), (len(stamps_ns), 1, 1))
    start, last, segment = np.eye(4), np.eye(4), None
    for index, number in enumerate(segments):
        if number != segment:
            start, segment = last, number
        if placed[index]:
            last = start @ poses[index]
        every[index] = last
    kept = np.flatnonzero(np.asarray(placed, bool)) if len(stamps_ns) else np.zeros(0, int)
    stamps = np.asarray(stamps_ns, np.int64)
    return EstimatedPath(Trajectory.from_poses(stamps[kept], every[kept]), every)
