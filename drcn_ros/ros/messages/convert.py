# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From results to messages.

Message classes do not check their fields by default, so numpy scalars become Python's here.
"""

from __future__ import annotations

import array
from collections.abc import Mapping
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import (
    Pose,
    PoseWithCovarianceStamped,
    TwistWithCovariance,
    TwistWithCovarianceStamped,
)
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from std_msgs.msg import Header

from drcn_ros.geometry.rotation import cross_matrix
from drcn_ros.geometry.types import Array
from drcn_ros.geometry.uncertain_pose import UncertainPose
from drcn_ros.odometry.states import State
from drcn_ros.odometry.types import Result
from drcn_ros.ros.messages.poses import UNKNOWN_VARIANCE, Velocity

NANOSECONDS = 1_000_000_000

# A state in which the odometry knows what the camera does.
_GOOD_STATES = (State.TRACKING, State.ROTATION_ONLY, State.STATIONARY)


def nanoseconds(stamp: Any) -> int:
    """Return a `builtin_interfaces/Time` as integer nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def time_message(stamp_ns: int) -> Time:
    """Return integer nanoseconds as a message."""
    return Time(sec=stamp_ns // NANOSECONDS, nanosec=stamp_ns % NANOSECONDS)


def header(stamp_ns: int, frame_id: str) -> Header:
    """Return a header."""
    return Header(stamp=time_message(stamp_ns), frame_id=frame_id)


def byte_array(data: NDArray[Any]) -> array.array[int]:
    """Return the bytes of an array in the one type that a message takes without a copy per element."""
    result = array.array("B")
    if data.size:
        result.frombytes(np.ascontiguousarray(data).reshape(-1).view(np.uint8).data)
    return result


def quaternion(rotation: Array) -> tuple[float, float, float, float]:
    """Return (x, y, z, w), w not negative, of a rotation matrix (3, 3).

    The largest of the four is computed first, as in Shepperd, "Quaternion from rotation matrix" (1978), so
    that nothing small is divided by.
    """
    m = np.asarray(rotation, np.float64)
    squares = np.array([m[0, 0], m[1, 1], m[2, 2], m[0, 0] + m[1, 1] + m[2, 2]])
    largest = int(np.argmax(squares))
    if largest == 3:
        values = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1.0 + squares[3]])
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        values = np.zeros(4)
        values[i] = 1.0 - squares[3] + 2.0 * m[i, i]
        values[j] = m[j, i] + m[i, j]
        values[k] = m[k, i] + m[i, k]
        values[3] = m[k, j] - m[j, k]
    values /= np.linalg.norm(values) * (-1.0 if values[3] < 0.0 else 1.0)
    return float(values[0]), float(values[1]), float(values[2]), float(values[3])


def matrix_from_parts(translation: Any, rotation: Any) -> Array:
    """Return the (4, 4) matrix of a translation (x, y, z) and a unit quaternion (x, y, z, w) of a message."""
    axis = np.array([rotation.x, rotation.y, rotation.z])
    result = np.eye(4)
    cross = cross_matrix(axis)
    result[:3, :3] += 2.0 * (rotation.w * cross + cross @ cross)
    result[:3, 3] = translation.x, translation.y, translation.z
    return result


def pose(matrix: Array) -> Pose:
    """Return a (4, 4) homogeneous matrix as a message."""
    message = Pose()
    message.position.x, message.position.y, message.position.z = (float(value) for value in matrix[:3, 3])
    turn = message.orientation
    turn.x, turn.y, turn.z, turn.w = quaternion(matrix[:3, :3])
    return message


def pose_with_covariance(matrix: Array, covariance: Array, head: Header) -> PoseWithCovarianceStamped:
    """Return a pose and its (6, 6) covariance in the order x y z, rotation about x y z."""
    message = PoseWithCovarianceStamped(header=head)
    message.pose.pose = pose(matrix)
    message.pose.covariance = np.ascontiguousarray(covariance, np.float64).reshape(36)
    return message


def odometry(pose: UncertainPose, velocity: Velocity | None, head: Header, child_frame: str) -> Odometry:
    """Return pose and velocity, the latter in the axes of `child_frame` and very uncertain when unknown."""
    message = Odometry(header=head, child_frame_id=child_frame)
    message.pose = pose_with_covariance(pose.matrix, pose.covariance, head).pose
    unknown = Velocity(np.zeros(3), np.zeros(3), UNKNOWN_VARIANCE * np.eye(6))
    message.twist = _twist(unknown if velocity is None else velocity)
    return message


def twist_stamped(velocity: Velocity, head: Header) -> TwistWithCovarianceStamped:
    """Return a velocity in the axes of the frame of the header."""
    return TwistWithCovarianceStamped(header=head, twist=_twist(velocity))


def _twist(velocity: Velocity) -> TwistWithCovariance:
    message = TwistWithCovariance(covariance=np.ascontiguousarray(velocity.covariance).reshape(36))
    linear, angular = message.twist.linear, message.twist.angular
    linear.x, linear.y, linear.z = (float(value) for value in velocity.linear)
    angular.x, angular.y, angular.z = (float(value) for value in velocity.angular)
    return message


def diagnostic_status(
    name: str, hardware_id: str, level: bytes, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Return a status whose values are written as text."""
    entries = [KeyValue(key=key, value=_text(value)) for key, value in values.items()]
    return DiagnosticStatus(level=level, name=name, message=message, hardware_id=hardware_id, values=entries)


def frame_status(
    name: str, hardware_id: str, result: Result, extra: Mapping[str, object]
) -> DiagnosticStatus:
    """Return the state of one frame, why it has it, and the numbers behind it."""
    values: dict[str, object] = {
        "state": result.state.value,
        "reason": result.reason.name,
        "detail": result.detail,
        "stamp": stamp_text(result.stamp_ns),
        "reference_stamp": "" if result.reference_stamp_ns is None else stamp_text(result.reference_stamp_ns),
        "keypoints": len(result.keypoints),
        "matches": len(result.matches),
        "inliers": int(result.inliers.sum()),
        "parallax_px": result.parallax_px,
        "metric": result.metric,
        "segment": result.segment,
        "step_length": _exact(result.step_length),
        "step_deviation": _exact(result.step_deviation),
        "left_out_percent": 100.0 * float(0.0 if result.left_out is None else result.left_out.mean()),
        "still_percent": 100.0 * result.still_part,
        "extract_ms": result.latency.extract_ms,
        "match_ms": result.latency.match_ms,
        "geometry_ms": result.latency.geometry_ms,
        "total_ms": result.latency.total_ms,
        **extra,
    }
    level = DiagnosticStatus.OK if result.state in _GOOD_STATES else DiagnosticStatus.WARN
    text = f"{result.state.value}: {result.reason.value}"
    return diagnostic_status(name, hardware_id, level, text, values)


def stamp_text(stamp_ns: int) -> str:
    """Return a stamp as seconds with nine decimals, exactly."""
    return f"{stamp_ns // NANOSECONDS}.{stamp_ns % NANOSECONDS:09d}"


def _exact(value: float | None) -> str:
    """Return a number to compute with, to float32's precision."""
    return "" if value is None else f"{value:.9g}"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)
