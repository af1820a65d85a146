# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From results to messages.

Message classes do not check their fields by default, so numpy scalars become Python's here.
"""

from __future__ import annotations

import array
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import (
    Pose,
    PoseStamped,
    PoseWithCovarianceStamped,
    TwistWithCovariance,
    TwistWithCovarianceStamped,
)
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from drcn_ros.geometry.points import triangulate
from drcn_ros.geometry.rotation import cross_matrix
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.types import Result, State
from drcn_ros.ros.poses import UNKNOWN_VARIANCE, UncertainPose, Velocity
from drcn_ros.ros.rays import FrameRays

NANOSECONDS = 1_000_000_000

KEYPOINT_FIELDS = np.dtype(
    [
        ("x", "<f4"),
        ("y", "<f4"),
        ("z", "<f4"),
        ("u", "<f4"),
        ("v", "<f4"),
        ("score", "<f4"),
        ("scale", "<f4"),
        ("id", "<u4"),
        ("age", "<u4"),
    ]
)
MATCH_FIELDS = np.dtype(
    [
        ("x", "<f4"),
        ("y", "<f4"),
        ("z", "<f4"),
        ("u", "<f4"),
        ("v", "<f4"),
        ("ref_x", "<f4"),
        ("ref_y", "<f4"),
        ("ref_u", "<f4"),
        ("ref_v", "<f4"),
        ("score", "<f4"),
        ("id", "<u4"),
        ("inlier", "u1"),
        ("ref_sec", "<i4"),
        ("ref_nanosec", "<u4"),
    ]
)

POINT_FIELDS = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("u", "<f4"), ("v", "<f4"), ("score", "<f4"), ("id", "<u4")]
)

# Rays that meet at a smaller angle, radians, meet anywhere: the noise of a pixel is of this size.
_LEAST_ANGLE = 1e-3

_POINT_FIELD_TYPES = {
    "<f4": PointField.FLOAT32,
    "<u4": PointField.UINT32,
    "<i4": PointField.INT32,
    "|u1": PointField.UINT8,
}

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


def point_cloud(rows: NDArray[np.void], head: Header) -> PointCloud2:
    """Return a structured array (N,), x among its fields, as a cloud of N points with the same fields."""
    return PointCloud2(
        header=head,
        height=1,
        width=len(rows),
        fields=list(_point_fields(rows.dtype)),
        is_bigendian=False,
        point_step=rows.dtype.itemsize,
        row_step=rows.dtype.itemsize * len(rows),
        data=byte_array(rows),
        is_dense=not np.isnan(rows["x"]).any(),
    )


@lru_cache(maxsize=16)
def _point_fields(kind: np.dtype[np.void]) -> tuple[PointField, ...]:
    """Return the description of a row; it is the same for every message, and slow to make."""
    fields = []
    for name in kind.names or ():
        part, offset = kind.fields[name][:2]  # type: ignore[index]
        base, shape = part.subdtype or (part, ())
        count = int(np.prod(shape, dtype=int))
        fields.append(
            PointField(name=name, offset=int(offset), datatype=_POINT_FIELD_TYPES[base.str], count=count)
        )
    return tuple(fields)


def keypoint_rows(result: Result, rays: FrameRays) -> NDArray[np.void]:
    """Return one row of `KEYPOINT_FIELDS` per keypoint, with its descriptor where the result has them.

    A point without normalised coordinates has NaN in x, y and z.
    """
    keypoints = result.keypoints
    fields = KEYPOINT_FIELDS
    if keypoints.descriptors is not None:
        size = keypoints.descriptors.shape[1]
        fields = np.dtype([*KEYPOINT_FIELDS.descr, ("descriptor", "<f4", (size,))])
    rows = np.zeros(len(keypoints), fields)
    _set_rays(rows, rays.keypoints)
    rows["u"], rows["v"] = keypoints.points[:, 0], keypoints.points[:, 1]
    rows["score"], rows["scale"] = keypoints.scores, keypoints.scales
    rows["id"], rows["age"] = result.tracks.ids, result.tracks.ages
    if keypoints.descriptors is not None:
        rows["descriptor"] = keypoints.descriptors
    return rows


def match_rows(result: Result, rays: FrameRays) -> NDArray[np.void]:
    """Return one row of `MATCH_FIELDS` per match; a match without a keypoint has the id 0."""
    matches = result.matches
    rows = np.zeros(len(matches), MATCH_FIELDS)
    _set_rays(rows, rays.current)
    rows["u"], rows["v"] = matches.current_points[:, 0], matches.current_points[:, 1]
    rows["ref_x"], rows["ref_y"] = rays.reference[:, 0], rays.reference[:, 1]
    rows["ref_u"], rows["ref_v"] = matches.reference_points[:, 0], matches.reference_points[:, 1]
    rows["score"] = matches.scores
    has_keypoint = matches.current_index >= 0
    rows["id"][has_keypoint] = result.tracks.ids[matches.current_index[has_keypoint]]
    rows["inlier"] = result.inliers
    if result.reference_stamp_ns is not None:
        rows["ref_sec"] = result.reference_stamp_ns // NANOSECONDS
        rows["ref_nanosec"] = result.reference_stamp_ns % NANOSECONDS
    return rows


def point_rows(result: Result, rays: FrameRays, scale: float) -> NDArray[np.void]:
    """Return one row of `POINT_FIELDS` per inlier whose rays meet in front of both cameras.

    Coordinates are those of the reference camera; u and v are the pixel in its image. `scale` is the length
    of the translation.
    """
    relative, kept = result.relative_pose, result.inliers
    if relative is None:
        return np.zeros(0, POINT_FIELDS)
    rows = match_rows(result, rays)[kept]
    translation = scale * relative.translation
    points, angles = triangulate(rays.reference[kept], rays.current[kept], relative.rotation, translation)
    usable = np.isfinite(points).all(axis=1) & (angles > _LEAST_ANGLE)
    points = points[usable]
    found = np.zeros(len(points), POINT_FIELDS)
    found["x"], found["y"], found["z"] = points.T
    for name, source in (("u", "ref_u"), ("v", "ref_v"), ("score", "score"), ("id", "id")):
        found[name] = rows[source][usable]
    return found


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


def _set_rays(rows: NDArray[np.void], rays: Array) -> None:
    # z is 1, or NaN with the others, so that viewers leave the point out.
    rows["x"], rows["y"], rows["z"] = rays[:, 0], rays[:, 1], 1.0 + 0.0 * rays[:, 0]


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


def pose_stamped(matrix: Array, head: Header) -> PoseStamped:
    """Return a pose with its header, as `nav_msgs/Path` holds them."""
    return PoseStamped(header=head, pose=pose(matrix))


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


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)
