# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Poses with covariance: the change from the camera to the base, accumulation, velocity."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.rotation import cross_matrix, rotation_vector
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import UncertainPose, block_diagonal, compose, invert
from drcn_ros.odometry.motion import motion_of
from drcn_ros.odometry.states import State
from drcn_ros.odometry.types import Result

# A pose that is known exactly, such as the start, is published with this variance instead of zero: readers
# take zero for "unknown" or put a value of their own in its place.
LEAST_VARIANCE = 1e-9
# Variance of a velocity that nothing is known of; finite, because readers invert it.
UNKNOWN_VARIANCE = 1e6
# Matches of one image share errors, and steps rest on the same landmarks: over rendered sequences the squared
# errors of accumulated motion are so many times what independent steps would give (docs/geometry.md).
SHARED_ERRORS = 4.0
# Poses kept to find a frame's reference again.
_MEMORY = 1000

# States of a frame that was placed beside earlier ones.
FOLLOWING = (State.TRACKING, State.ROTATION_ONLY, State.STATIONARY)


@dataclass(frozen=True)
class Velocity:
    """Of a frame, in its own axes: metres (or units) and radians per second, covariance (6, 6)."""

    linear: Array
    angular: Array
    covariance: Array


def pose_to_base(pose: UncertainPose, base_from_camera: Array) -> UncertainPose:
    """Return the motion of the base that belongs to a motion of the camera, by T_base_camera (4, 4)."""
    matrix = base_from_camera @ pose.matrix @ invert(base_from_camera)
    rotation = base_from_camera[:3, :3]
    jacobian = block_diagonal(rotation)
    jacobian[:3, 3:] = cross_matrix(matrix[:3, :3] @ base_from_camera[:3, 3]) @ rotation
    return UncertainPose(matrix, jacobian @ pose.covariance @ jacobian.T)


def velocity_to_base(velocity: Velocity, base_from_camera: Array) -> Velocity:
    """Return the velocity of the base, in its axes, for that of the camera, by T_base_camera (4, 4)."""
    rotation, lever = base_from_camera[:3, :3], base_from_camera[:3, 3]
    angular = rotation @ velocity.angular
    linear = rotation @ velocity.linear - np.cross(angular, lever)
    jacobian = block_diagonal(rotation)
    jacobian[:3, 3:] = cross_matrix(lever) @ rotation
    return Velocity(linear, angular, jacobian @ velocity.covariance @ jacobian.T)


class Accumulator:
    """Adds a covariance to the poses that the odometry accumulates, and derives the velocity."""

    def __init__(self) -> None:
        self._segment: int | None = None
        self._known: OrderedDict[int, UncertainPose] = OrderedDict()
        self._last: Result | None = None

    def add(self, result: Result, with_velocity: bool = True) -> tuple[UncertainPose | None, Velocity | None]:
        """Return the pose and the velocity of the camera at this frame, each None where it is not known.

        The velocity is left out where nobody wants it.
        """
        if result.segment != self._segment:
            self._segment = result.segment
            self._known.clear()
            self._last = None
        if result.state is State.INITIALIZING:
            pose = UncertainPose(result.pose, LEAST_VARIANCE * np.eye(6))
        elif result.state in FOLLOWING:
            pose = UncertainPose(result.pose, self._covariance(result))
        else:
            self._last = None
            return None, None
        velocity = _velocity(self._last, result) if with_velocity and self._last is not None else None
        self._known[result.stamp_ns] = pose
        if len(self._known) > _MEMORY:
            self._known.popitem(last=False)
        self._last = result
        return pose, velocity

    def _covariance(self, result: Result) -> Array:
        reference = None
        if result.reference_stamp_ns is not None:
            reference = self._known.get(result.reference_stamp_ns)
        if reference is None:
            reference = next(reversed(self._known.values()), None)
        if reference is None:
            reference = UncertainPose(np.eye(4), LEAST_VARIANCE * np.eye(6))
        if result.reference_stamp_ns in self._known:
            self._known.move_to_end(result.reference_stamp_ns)  # type: ignore[arg-type]
        step = _step(result)
        if step is None:
            return reference.covariance
        return compose(reference, UncertainPose(step.matrix, SHARED_ERRORS * step.covariance)).covariance


def _step(result: Result) -> UncertainPose | None:
    """Return the motion since the reference, or None where the pose was left as it was."""
    return None if result.state is State.STATIONARY else motion_of(result)


def _velocity(last: Result, result: Result) -> Velocity | None:
    seconds = 1e-9 * (result.stamp_ns - last.stamp_ns)
    covariance = _in_current_axes(result)
    if seconds <= 0.0 or covariance is None:
        return None
    if result.reference_stamp_ns != last.stamp_ns:
        # Both poses were measured against an older frame: the step between them has the errors of both.
        before = _in_current_axes(last)
        covariance = covariance if before is None else covariance + before
    covariance = covariance / seconds**2 + LEAST_VARIANCE * np.eye(6)
    step = invert(last.pose) @ result.pose
    linear = step[:3, :3].T @ step[:3, 3] / seconds
    if not result.metric:
        linear = np.zeros(3)
        covariance[:3, :] = covariance[:, :3] = 0.0
        covariance[:3, :3] = UNKNOWN_VARIANCE * np.eye(3)
    return Velocity(linear, rotation_vector(step[:3, :3]) / seconds, covariance)


def _in_current_axes(result: Result) -> Array | None:
    """Return the covariance of the motion since the reference in the axes of the current camera."""
    motion = motion_of(result)
    if motion is None:
        return None
    turned = block_diagonal(motion.matrix[:3, :3].T)
    return turned @ motion.covariance @ turned.T
