# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What goes into the odometry and what comes out of it, one frame at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array, RelativePose
from drcn_ros.matching.types import Keypoints, Matches
from drcn_ros.odometry.states import Reason, State


@dataclass(frozen=True)
class Frame:
    """One camera image.

    Attributes:
        stamp_ns: time of exposure, nanoseconds.
        image: (H, W) grey or (H, W, 3) RGB, uint8.
    """

    stamp_ns: int
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Latency:
    """Wall time of the stages of one frame, milliseconds."""

    extract_ms: float = 0.0
    match_ms: float = 0.0
    geometry_ms: float = 0.0
    total_ms: float = 0.0


@dataclass(frozen=True)
class Tracks:
    """Identity of each keypoint of the current frame.

    Attributes:
        ids: (N,) uint32, the same for the same point in later frames until it is lost.
        ages: (N,) uint32, frames for which the track has been followed; 1 when it is new.
    """

    ids: NDArray[np.uint32]
    ages: NDArray[np.uint32]

    def select(self, rows: NDArray[np.bool_]) -> Tracks:
        """Return the tracks of the keypoints for which `rows` (N,) holds."""
        return Tracks(self.ids[rows], self.ages[rows])


@dataclass(frozen=True)
class Result:
    """All that one frame gave.

    Attributes:
        state, reason, detail: the state, why, and the numbers behind it in one line.
        keypoints, tracks: the points of the current frame, row by row.
        reference_stamp_ns: stamp of the frame that this one was matched with, or None; often an older one.
        matches: with the reference frame; `current_index` refers to `keypoints`.
        inliers: (M,) bool, the matches that agree with `relative_pose`.
        relative_pose: T_ref_cur with unit translation, or None when the state has none.
        rotation: (3, 3) R_ref_cur, known also without a translation (ROTATION_ONLY, STATIONARY), or None.
        rotation_covariance: (3, 3) of that rotation about the reference axes, radians squared, or None.
        step_length: length of the translation since the reference in the unit of `pose`, or None.
        step_deviation: its standard deviation; infinite where the length is a guess, 0 for unit steps.
        pose: (4, 4) accumulated T_start_cur; up to scale unless `metric`.
        metric: whether `pose` and `step_length` are in metres, by a source of scale that still delivers.
        segment: counts restarts of the accumulated pose.
        parallax_px: median displacement of the inliers after removing the rotation, pixels, or None.
        left_out: (rows, columns) parts of the image that do not count, by a mask or because they stand still
            while the camera moves, or None; rows and columns share the image evenly.
        still_part: part of the image, 0 to 1, that was found to stand still while the camera moves.
    """

    stamp_ns: int
    state: State
    reason: Reason
    detail: str
    keypoints: Keypoints
    tracks: Tracks
    reference_stamp_ns: int | None
    matches: Matches
    inliers: NDArray[np.bool_]
    relative_pose: RelativePose | None
    pose: Array
    metric: bool
    segment: int
    parallax_px: float | None
    latency: Latency
    rotation: Array | None = None
    rotation_covariance: Array | None = None
    step_length: float | None = None
    step_deviation: float | None = None
    left_out: NDArray[np.bool_] | None = None
    still_part: float = 0.0
