# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Poses with covariance: composition, the change from the camera to the base, accumulation, velocity.

A pose is a (4, 4) matrix. Its covariance (6, 6) has the order of ROS: translation x y z, then rotation about
the fixed axes x y z of the frame in which the pose is given. So the true pose is [Exp(r) R | t + d] with
(d, r) of that covariance, and all formulas here are the first-order propagation of it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.rotation import cross_matrix, rotation_vector
from drcn_ros.geometry.types import Array, RelativePose
from drcn_ros.odometry.types import Result, State

# A pose that is known exactly, such as the start, is published with this variance instead of zero: readers
# take zero for "unknown" or put a value of their own in its place.
LEAST_VARIANCE = 1e-9
# Variance of a velocity that nothing is known of; finite, because readers invert it.
UNKNOWN_VARIANCE = 1e6
# Poses kept to find a frame's reference again.
_MEMORY = 1000

# States of a frame that was placed beside earlier ones.
FOLLOWING = (State.TRACKING, State.ROTATION_ONLY, State.STATIONARY)


@dataclass(frozen=True)
class UncertainPose:
    """A pose and its covariance, (4, 4) and (6, 6)."""

    matrix: Array
    covariance: Array


@dataclass(frozen=True)
class Velocity:
    """Of a frame, in its own axes: metres (or units) and radians per second, covariance (6, 6)."""

    linear: Array
    angular: Array
    covariance: Array


def _twice(block: Array) -> Array:
    """Return the (6, 6) matrix with a (3, 3) block on its diagonal twice."""
    result = np.zeros((6, 6))
    result[:3, :3] = result[3:, 3:] = block
    return result


def invert(matrix: Array) -> Array:
    """Return the inverse of a rigid (4, 4) transform."""
    result = np.eye(4)
    result[:3, :3] = matrix[:3, :3].T
    result[:3, 3] = -matrix[:3, :3].T @ matrix[:3, 3]
    return result


def compose(first: UncertainPose, second: UncertainPose) -> UncertainPose:
    """Return `first` followed by `second`, whose errors are independent."""
    rotation = first.matrix[:3, :3]
    from_first = np.eye(6)
    from_first[:3, 3:] = -cross_matrix(rotation @ second.matrix[:3, 3])
    from_second = _twice(rotation)
    covariance = (
        from_first @ first.covariance @ from_first.T + from_second @ second.covariance @ from_second.T
    )
    return UncertainPose(first.matrix @ second.matrix, covariance)


def pose_to_base(pose: UncertainPose, base_from_camera: Array) -> UncertainPose:
    """Return the motion of the base that belongs to a motion of the camera, by T_base_camera (4, 4)."""
    matrix = base_from_camera @ pose.matrix @ invert(base_from_camera)
    rotation = base_from_camera[:3, :3]
    jacobian = _twice(rotation)
    jacobian[:3, 3:] = cross_matrix(matrix[:3, :3] @ base_from_camera[:3, 3]) @ rotation
    return UncertainPose(matrix, jacobian @ pose.covariance @ jacobian.T)


def velocity_to_base(velocity: Velocity, base_from_camera: Array) -> Velocity:
    """Return the velocity of the base, in its axes, for that of the camera, by T_base_camera (4, 4)."""
    rotation, lever = base_from_camera[:3, :3], base_from_camera[:3, 3]
    angular = rotation @ velocity.angular
    linear = rotation @ velocity.linear - np.cross(angular, lever)
    jacobian = _twice(rotation)
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
        return reference.covariance if step is None else compose(reference, step).covariance


def _step(result: Result) -> UncertainPose | None:
    """Return the motion since the reference, or None where the pose was left as it was."""
    return None if result.state is State.STATIONARY else _motion(result)


def _motion(result: Result) -> UncertainPose | None:
    """Return the motion since the reference in the unit of the path, or None where none was found."""
    if result.relative_pose is not None:
        return _scaled(result.relative_pose, result.step_length, result.step_deviation)
    if result.rotation is None or result.rotation_covariance is None:
        return None
    matrix, covariance = np.eye(4), np.zeros((6, 6))
    matrix[:3, :3], covariance[3:, 3:] = result.rotation, result.rotation_covariance
    if result.state is State.STATIONARY:
        # What moves the image as little as the noise does: an angle, or that angle at a distance of one unit.
        covariance[:3, :3] = np.trace(result.rotation_covariance) * np.eye(3)
    return UncertainPose(matrix, covariance)


def _scaled(relative: RelativePose, length: float | None, deviation: float | None) -> UncertainPose:
    """Return the motion with its translation in the unit of the path.

    A unit step and a guess keep the variance of an unknown length, in proportion to it.
    """
    if length is None:
        return UncertainPose(relative.matrix(), relative.covariance)
    matrix, scale = relative.matrix(), np.diag([length] * 3 + [1.0] * 3)
    matrix[:3, 3] *= length
    covariance = scale @ relative.covariance @ scale
    if deviation is not None and 0.0 < deviation < np.inf:
        along = np.outer(relative.translation, relative.translation)
        known = relative.translation @ covariance[:3, :3] @ relative.translation
        covariance[:3, :3] += (deviation**2 - known) * along
    return UncertainPose(matrix, covariance)


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
    motion = _motion(result)
    if motion is None:
        return None
    turned = _twice(motion.matrix[:3, :3].T)
    return turned @ motion.covariance @ turned.T
