# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a result of the odometry to what the map takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import invert
from drcn_ros.mapping.types import FramePoints, TrackedFrame
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.motion import motion_of
from drcn_ros.odometry.states import State
from drcn_ros.odometry.types import Result

# How far a landmark may be seen from the keypoint with its number, as a tangent.
_FARTHEST = 0.02
_NEAREST_DEPTH = 1e-6

# States of frames whose place is known.
PLACED = (State.INITIALIZING, State.TRACKING, State.ROTATION_ONLY, State.STATIONARY)


def tracked_frame(result: Result, camera: Camera, landmarks: MapPoints | None) -> TrackedFrame | None:
    """Return what the map takes of a result, or None where the frame's place is not known.

    Args:
        result: with descriptors, if loops are to be found.
        camera: calibration.
        landmarks: of the odometry after this frame, in the axes of its pose, or None.
    """
    if result.state not in PLACED:
        return None
    keypoints = result.keypoints
    rays = camera.normalise(keypoints.points.astype(np.float64))
    points = frame_points(
        result.pose, keypoints.points, rays, result.tracks.ids, keypoints.descriptors, landmarks
    )
    return TrackedFrame(
        result.stamp_ns,
        result.segment,
        result.pose,
        result.metric,
        result.reference_stamp_ns,
        motion_of(result),
        points,
    )


def frame_points(
    pose: Array,
    pixels: NDArray[np.float32],
    rays: Array,
    ids: NDArray[np.uint32],
    descriptors: NDArray[np.float32] | None,
    landmarks: MapPoints | None,
) -> FramePoints:
    """Return keypoints with the depths of the landmarks that they show.

    Args:
        pose: (4, 4) of the camera in the axes of the landmarks.
        pixels, rays, ids, descriptors: of the keypoints, as in `FramePoints`; descriptors or None.
        landmarks: or None, then no depth is known.
    """
    count = len(pixels)
    depths, deviations = np.full(count, np.nan), np.full(count, np.nan)
    if landmarks is not None and len(landmarks) and count:
        _, rows, columns = np.intersect1d(ids, landmarks.ids, return_indices=True)
        seen = landmarks.moved(invert(pose))
        points = seen.points[columns]
        with np.errstate(divide="ignore", invalid="ignore"):
            beside = np.linalg.norm(points[:, :2] / points[:, 2:] - rays[rows], axis=1)
        good = (points[:, 2] > _NEAREST_DEPTH) & (beside < _FARTHEST)
        depths[rows[good]] = points[good, 2]
        deviations[rows[good]] = np.sqrt(seen.variance[columns[good]])
    if descriptors is None:
        descriptors = np.zeros((count, 0), np.float32)
    return FramePoints(pixels, rays, ids, descriptors, depths, deviations)
