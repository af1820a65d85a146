# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoints, matches and points of the scene as clouds: one structured row per point.

A cloud is made in the form in which it travels. Filling a `PointCloud2` and letting rclpy serialise it takes
ten times as long, most of it for the description of the fields, which is the same each time.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import PointField
from std_msgs.msg import Header

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.triangulation import triangulate
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.map_points import MapPoints
from drcn_ros.odometry.types import Result
from drcn_ros.ros.messages import cdr
from drcn_ros.ros.messages.convert import NANOSECONDS
from drcn_ros.ros.messages.rays import FrameRays

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
    [
        ("x", "<f4"),
        ("y", "<f4"),
        ("z", "<f4"),
        ("variance", "<f4"),
        ("id", "<u4"),
        ("observations", "<u4"),
    ]
)

# Rays that meet at a smaller angle, radians, meet anywhere: the noise of a pixel is of this size.
_LEAST_ANGLE = 1e-3
# Standard deviation of that angle, pixels: half a pixel in each of both images.
_ANGLE_NOISE_PX = 0.7

_POINT_FIELD_TYPES = {
    "<f4": PointField.FLOAT32,
    "<u4": PointField.UINT32,
    "<i4": PointField.INT32,
    "|u1": PointField.UINT8,
}


def serialised_cloud(rows: NDArray[np.void], head: Header) -> bytes:
    """Return a structured array (N,), x among its fields, as a serialised `PointCloud2` with these fields."""
    size, count = rows.dtype.itemsize, len(rows)
    is_dense = not np.isnan(rows["x"]).any()
    return b"".join(
        (
            cdr.LITTLE_ENDIAN,
            cdr.header(head),
            # Height and width, the fields, and that numbers are little endian.
            cdr.integer(1),
            cdr.integer(count),
            _described(rows.dtype),
            bytes(4),
            cdr.integer(size),
            cdr.integer(size * count),
            cdr.integer(size * count),
            rows.tobytes(),
            bytes((is_dense,)),
        )
    )


@lru_cache(maxsize=16)
def _described(kind: np.dtype[np.void]) -> bytes:
    """Return the serialised description of a row."""
    names = kind.names or ()
    described = cdr.integer(len(names))
    for name in names:
        part, offset = kind.fields[name][:2]  # type: ignore[index]
        base, shape = part.subdtype or (part, ())
        described += cdr.text(name) + cdr.integer(int(offset))
        described += cdr.integer(_POINT_FIELD_TYPES[base.str]) + cdr.integer(int(np.prod(shape, dtype=int)))
    return described


def keypoint_rows(result: Result, rays: FrameRays) -> NDArray[np.void]:
    """Return one row (N,) of `KEYPOINT_FIELDS` per keypoint, with its descriptor where the result has them.

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
    """Return one row (M,) of `MATCH_FIELDS` per match; a match without a keypoint has the id 0."""
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


def point_rows(points: MapPoints) -> NDArray[np.void]:
    """Return one row (N,) of `POINT_FIELDS` per point."""
    rows = np.zeros(len(points), POINT_FIELDS)
    rows["x"], rows["y"], rows["z"] = points.points.T
    rows["variance"] = points.variance
    rows["id"], rows["observations"] = points.ids, points.observations
    return rows


def pair_points(result: Result, rays: FrameRays, camera: Camera) -> MapPoints:
    """Return the inliers whose rays meet in front of both cameras, in the axes of `Result.pose`.

    Only those of a keypoint, since the others have no id.
    """
    relative, index = result.relative_pose, result.matches.current_index
    if relative is None:
        return MapPoints.none()
    rows = np.flatnonzero(result.inliers & (index >= 0))
    length = 1.0 if result.step_length is None else result.step_length
    translation = length * relative.translation
    points, angles = triangulate(rays.reference[rows], rays.current[rows], relative.rotation, translation)
    usable = np.isfinite(points).all(axis=1) & (angles > _LEAST_ANGLE)
    points, angles = points[usable], angles[usable]
    # Along a ray of length d that another meets at the angle a, d moves by d / sin(a) of an angle's error.
    deviation = np.linalg.norm(points, axis=1) * _ANGLE_NOISE_PX / camera.mean_focal / np.sin(angles)
    ids = result.tracks.ids[index[rows[usable]]]
    found = MapPoints(points, deviation**2, ids, np.full(len(ids), 2, np.uint32))
    from_reference = np.eye(4)
    from_reference[:3, :3] = relative.rotation.T
    from_reference[:3, 3] = -relative.rotation.T @ translation
    return found.moved(result.pose @ from_reference)


def _set_rays(rows: NDArray[np.void], rays: Array) -> None:
    # z is 1, or NaN with the others, so that viewers leave the point out.
    rows["x"], rows["y"], rows["z"] = rays[:, 0], rays[:, 1], 1.0 + 0.0 * rays[:, 0]
