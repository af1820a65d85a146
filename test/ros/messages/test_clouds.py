# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointCloud2, PointField

from drcn_ros.geometry.camera import Camera
from drcn_ros.ros.messages import clouds, convert
from drcn_ros.ros.messages.rays import FrameRays
from drcn_ros.ros.session.recorder import cloud_rows

CAMERA = Camera(640, 480, fx=500.0, fy=400.0, cx=320.0, cy=240.0)
FLOAT, UNSIGNED, SIGNED, BYTE = PointField.FLOAT32, PointField.UINT32, PointField.INT32, PointField.UINT8


def rays(result: Any, camera: Camera | None) -> FrameRays:
    return FrameRays(result, camera)


def layout(cloud: PointCloud2) -> list[tuple[str, int, int]]:
    return [(field.name, field.datatype, field.count) for field in cloud.fields]


def cloud_of(rows: np.ndarray, head: Any) -> PointCloud2:
    """Return the message that a subscriber gets."""
    return deserialize_message(clouds.serialised_cloud(rows, head), PointCloud2)


def test_keypoints_have_the_fields_of_the_design(result: Any) -> None:
    cloud = cloud_of(clouds.keypoint_rows(result, rays(result, CAMERA)), convert.header(1_500_000_000, "cam"))
    assert layout(cloud) == [
        *((name, FLOAT, 1) for name in ("x", "y", "z", "u", "v", "score", "scale")),
        ("id", UNSIGNED, 1),
        ("age", UNSIGNED, 1),
    ]
    assert (cloud.header.stamp.sec, cloud.header.stamp.nanosec) == (1, 500_000_000)
    rows = cloud_rows(cloud)
    assert rows["u"].tolist() == result.keypoints.points[:, 0].tolist()
    assert rows["x"] == pytest.approx((result.keypoints.points[:, 0] - 320.0) / 500.0)
    assert rows["y"] == pytest.approx((result.keypoints.points[:, 1] - 240.0) / 400.0)
    assert set(rows["z"].tolist()) == {1.0}
    assert rows["id"].tolist() == result.tracks.ids.tolist()
    assert rows["age"].tolist() == result.tracks.ages.tolist()


def test_descriptors_are_one_field_with_a_count(result_with_descriptors: Any) -> None:
    result = result_with_descriptors
    cloud = cloud_of(clouds.keypoint_rows(result, rays(result, CAMERA)), convert.header(0, "cam"))
    assert layout(cloud)[-1] == ("descriptor", FLOAT, 4)
    assert np.array_equal(cloud_rows(cloud)["descriptor"], result.keypoints.descriptors)


def test_matches_have_the_fields_of_the_design(result: Any) -> None:
    cloud = cloud_of(clouds.match_rows(result, rays(result, CAMERA)), convert.header(0, "cam"))
    names = ("x", "y", "z", "u", "v", "ref_x", "ref_y", "ref_u", "ref_v", "score")
    assert layout(cloud) == [
        *((name, FLOAT, 1) for name in names),
        ("id", UNSIGNED, 1),
        ("inlier", BYTE, 1),
        ("ref_sec", SIGNED, 1),
        ("ref_nanosec", UNSIGNED, 1),
    ]
    rows = cloud_rows(cloud)
    assert rows["inlier"].tolist() == [1, 0, 1]
    assert rows["ref_u"].tolist() == result.matches.reference_points[:, 0].tolist()
    assert rows["ref_x"] == pytest.approx((result.matches.reference_points[:, 0] - 320.0) / 500.0)
    assert (rows["ref_sec"][0], rows["ref_nanosec"][0]) == (12, 345)
    # The last match has no keypoint and therefore no track.
    assert rows["id"].tolist() == [int(result.tracks.ids[2]), int(result.tracks.ids[0]), 0]


def test_points_without_a_calibration_are_not_a_number(result: Any) -> None:
    for rows in (
        clouds.keypoint_rows(result, rays(result, None)),
        clouds.match_rows(result, rays(result, None)),
    ):
        assert np.isnan(rows["x"]).all()
        assert np.isnan(rows["z"]).all()
        assert np.isfinite(rows["u"]).all()
        assert not cloud_of(rows, convert.header(0, "cam")).is_dense


def test_no_rows_are_a_message_with_all_fields(empty_result: Any) -> None:
    for rows in (
        clouds.keypoint_rows(empty_result, rays(empty_result, CAMERA)),
        clouds.match_rows(empty_result, rays(empty_result, CAMERA)),
    ):
        cloud = cloud_of(rows, convert.header(0, "cam"))
        assert cloud.width == 0
        assert len(cloud.fields) >= 9
        assert len(cloud_rows(cloud)) == 0


@pytest.mark.parametrize("frame_id", ["", "a", "cam", "robot1/cam0_optical", "ö"])
def test_the_bytes_are_those_that_the_middleware_writes(result: Any, frame_id: str) -> None:
    rows = clouds.match_rows(result, rays(result, CAMERA))
    head = convert.header(-1_500_000_000, frame_id)
    read = cloud_of(rows, head)
    types = {"inlier": BYTE, "ref_sec": SIGNED, "ref_nanosec": UNSIGNED, "id": UNSIGNED}
    made = PointCloud2(
        header=head,
        height=1,
        width=len(rows),
        fields=[
            PointField(name=name, offset=rows.dtype.fields[name][1], datatype=types.get(name, FLOAT), count=1)
            for name in rows.dtype.names
        ],
        point_step=rows.dtype.itemsize,
        row_step=rows.nbytes,
        data=convert.byte_array(rows),
        is_dense=True,
    )
    assert read == made
    # What lies between the fields is not written by the middleware, so the bytes themselves may differ.
    assert len(clouds.serialised_cloud(rows, head)) == len(serialize_message(made))
