# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keyframes of the map, and when a frame becomes one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from drcn_ros.geometry.rotation import rotation_vector
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import invert
from drcn_ros.mapping.config import SpacingConfig
from drcn_ros.mapping.types import FramePoints, TrackedFrame

# Standard deviation of a depth over the depth, up to which it is used.
CLEAR = 0.25


@dataclass(frozen=True)
class Keyframe:
    """A frame that the map keeps.

    Attributes:
        stamp_ns, metric: of the frame.
        segment: counts the odometry's restarts since the map began.
        pose: (4, 4) T_odom_camera as the odometry had it.
        points: its keypoints, the best of them.
    """

    stamp_ns: int
    segment: int
    metric: bool
    pose: Array
    points: FramePoints


def keyframe_of(frame: TrackedFrame, segment: int, config: SpacingConfig) -> Keyframe:
    """Return the keyframe that a frame with points makes in a segment of the map."""
    assert frame.points is not None
    return Keyframe(
        frame.stamp_ns,
        segment,
        frame.metric,
        frame.pose.copy(),
        best_points(frame.points, config.points),
    )


def best_points(points: FramePoints, count: int) -> FramePoints:
    """Return at most so many points, those with the best known depths first, without bad depths and rays."""
    relative = points.deviations / points.depths
    with np.errstate(invalid="ignore"):
        clear = (points.depths > 0.0) & (relative < CLEAR)
    order = np.argsort(np.where(clear, relative, np.inf), kind="stable")
    order = order[np.isfinite(points.rays[order]).all(axis=1)][:count]
    unknown = ~clear
    depths = np.where(unknown, np.nan, points.depths)
    deviations = np.where(unknown, np.nan, points.deviations)
    # Half the size: the descriptors are nearly all that a map takes of the memory.
    descriptors = points.descriptors.astype(np.float16)
    return replace(points, descriptors=descriptors, depths=depths, deviations=deviations).take(np.sort(order))


def is_apart(last: Keyframe, frame: TrackedFrame, config: SpacingConfig) -> bool:
    """Return whether a frame has moved enough since the last keyframe of its segment to become one."""
    step = invert(last.pose) @ frame.pose
    if float(np.linalg.norm(rotation_vector(step[:3, :3]))) >= config.angle:
        return True
    return float(np.linalg.norm(step[:3, 3])) >= config.distance * scene_depth(last)


def scene_depth(keyframe: Keyframe) -> float:
    """Return the median depth of a keyframe's points in its unit, 0 where none is known."""
    known = keyframe.points.depths[np.isfinite(keyframe.points.depths)]
    return float(np.median(known)) if len(known) else 0.0
