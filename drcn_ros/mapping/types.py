# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What goes into the map, one frame at a time, and what a loop is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import UncertainPose


@dataclass(frozen=True)
class FramePoints:
    """Keypoints of a frame, one row each, with what is known of their depths.

    Attributes:
        pixels: (N, 2) float32, in the image as received.
        rays: (N, 2) normalised coordinates without distortion, NaN where the lens has none.
        ids: (N,) uint32, the same for the same point in other frames.
        descriptors: (N, C) float32, in a keyframe float16, of unit length; (N, 0) where the matcher has none,
            and then there are no loops.
        depths: (N,) along the optical axis in the unit of `TrackedFrame.pose`, NaN where unknown.
        deviations: (N,) their standard deviations, NaN where unknown.
    """

    pixels: NDArray[np.float32]
    rays: Array
    ids: NDArray[np.uint32]
    descriptors: NDArray[np.floating[Any]]
    depths: Array
    deviations: Array

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: NDArray[np.int64]) -> FramePoints:
        """Return the points of these rows."""
        return FramePoints(
            self.pixels[rows],
            self.rays[rows],
            self.ids[rows],
            self.descriptors[rows],
            self.depths[rows],
            self.deviations[rows],
        )


@dataclass(frozen=True)
class TrackedFrame:
    """What the odometry tells of one frame. Only frames whose place is known go into the map.

    Attributes:
        stamp_ns: of the image.
        segment: counts the odometry's restarts; poses of different segments have nothing in common.
        pose: (4, 4) T_odom_camera, optical frame, accumulated since the start of the segment.
        metric: whether it is in metres; then the map's scale does not drift.
        reference_stamp_ns: of the frame that this one was matched with, or None.
        step: T_ref_cur with its length and covariance, the motion since that frame, or None. The covariance
            is what counts: the graph takes the motion itself from the poses.
        points: or None, where they did not arrive; then the frame becomes no keyframe.
    """

    stamp_ns: int
    segment: int
    pose: Array
    metric: bool = False
    reference_stamp_ns: int | None = None
    step: UncertainPose | None = None
    points: FramePoints | None = None


@dataclass(frozen=True)
class Loop:
    """Two keyframes that show the same place.

    Attributes:
        first, second: numbers of the keyframes, the older one first.
        similarity: S_first_second: maps points of the second camera, in the unit of the odometry there, into
            the first camera, in the unit of the odometry there.
        covariance: (7, 7) of translation and rotation in ROS's order and axes, then of the logarithm of the
            scale.
        inliers: matches that agree with it.
    """

    first: int
    second: int
    similarity: Similarity
    covariance: Array
    inliers: int
