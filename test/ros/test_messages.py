# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointCloud2, PointField

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.ros import messages
from drcn_ros.ros.rays import FrameRays, RayBook
from drcn_ros.ros.recorder import cloud_rows

CAMERA = Camera(640, 480, fx=500.0, fy=400.0, cx=320.0, cy=240.0)
FLOAT, UNSIGNED, SIGNED, BYTE = PointField.FLOAT32, PointField.UINT32, PointField.INT32, PointField.UINT8


def rays(result: Any, camera: Camera | None) -> FrameRays:
    return RayBook().add(result, camera)


def layout(cloud: PointCloud2) -> list[tuple[str, int, int]]:
    return [(field.name, field.datatype, field.count) for field in cloud.fields]


def sent(cloud: PointCloud2) -> np.ndarray:
    """Return the rows as a subscriber reads them."""
    return cloud_rows(deserialize_message(serialize_message(cloud), PointCloud2))


def test_keypoints_have_the_fields_of_the_design(result: Any) -> None:
    cloud = messages.point_cloud(
        messages.keypoint_rows(result, rays(result, CAMERA)), messages.header(1_500_000_000, "cam")
    )
    assert layout(cloud) == [
        *((name, FLOAT, 1) for name in ("x", "y", "z", "u", "v", "score", "scale")),
        ("id", UNSIGNED, 1),
        ("age", UNSIGNED, 1),
    ]
    assert (cloud.header.stamp.sec, cloud.header.stamp.nanosec) == (1, 500_000_000)
    rows = sent(cloud)
    assert rows["u"].tolist() == result.keypoints.points[:, 0].tolist()
    assert rows["x"] == pytest.approx((result.keypoints.points[:, 0] - 320.0) / 500.0)
    assert rows["y"] == pytest.approx((result.keypoints.points[:, 1] - 240.0) / 400.0)
    assert set(rows["z"].tolist()) == {1.0}
    assert rows["id"].tolist() == result.tracks.ids.tolist()
    assert rows["age"].tolist() == result.tracks.ages.tolist()


def test_descriptors_are_one_field_with_a_count(result_with_descriptors: Any) -> None:
    result = result_with_descriptors
    cloud = messages.point_cloud(
        messages.keypoint_rows(result, rays(result, CAMERA)), messages.header(0, "cam")
    )
    assert layout(cloud)[-1] == ("descriptor", FLOAT, 4)
    assert np.array_equal(sent(cloud)["descriptor"], result.keypoints.descriptors)


def test_matches_have_the_fields_of_the_design(result: Any) -> None:
    cloud = messages.point_cloud(messages.match_rows(result, rays(result, CAMERA)), messages.header(0, "cam"))
    names = ("x", "y", "z", "u", "v", "ref_x", "ref_y", "ref_u", "ref_v", "score")
    assert layout(cloud) == [
        *((name, FLOAT, 1) for name in names),
        ("id", UNSIGNED, 1),
        ("inlier", BYTE, 1),
        ("ref_sec", SIGNED, 1),
        ("ref_nanosec", UNSIGNED, 1),
    ]
    rows = sent(cloud)
    assert rows["inlier"].tolist() == [1, 0, 1]
    assert rows["ref_u"].tolist() == result.matches.reference_points[:, 0].tolist()
    assert rows["ref_x"] == pytest.approx((result.matches.reference_points[:, 0] - 320.0) / 500.0)
    assert (rows["ref_sec"][0], rows["ref_nanosec"][0]) == (12, 345)
    # The last match has no keypoint and therefore no track.
    assert rows["id"].tolist() == [int(result.tracks.ids[2]), int(result.tracks.ids[0]), 0]


def test_points_without_a_calibration_are_not_a_number(result: Any) -> None:
    for rows in (
        messages.keypoint_rows(result, rays(result, None)),
        messages.match_rows(result, rays(result, None)),
    ):
        assert np.isnan(rows["x"]).all()
        assert np.isnan(rows["z"]).all()
        assert np.isfinite(rows["u"]).all()
        assert not messages.point_cloud(rows, messages.header(0, "cam")).is_dense


def test_no_rows_are_a_message_with_all_fields(empty_result: Any) -> None:
    for rows in (
        messages.keypoint_rows(empty_result, rays(empty_result, CAMERA)),
        messages.match_rows(empty_result, rays(empty_result, CAMERA)),
    ):
        cloud = messages.point_cloud(rows, messages.header(0, "cam"))
        assert cloud.width == 0
        assert len(cloud.fields) >= 9
        assert len(sent(cloud)) == 0


@pytest.mark.parametrize(
    "vector", [[0.0, 0.0, 0.0], [3.1, 0.1, 0.0], [0.0, -3.1, 0.2], [0.3, 0.2, 3.0], [1.0, 2.0, -0.5]]
)
def test_a_quaternion_turns_as_its_matrix_does(vector: list[float]) -> None:
    rotation = rotation_matrix(np.array(vector))
    x, y, z, w = messages.quaternion(rotation)
    axis = np.array([x, y, z])
    point = np.array([0.3, -0.7, 0.2])
    turned = point + 2.0 * np.cross(axis, np.cross(axis, point) + w * point)
    assert turned == pytest.approx(rotation @ point)
    assert w >= 0.0


def test_a_pose_keeps_its_covariance_row_by_row() -> None:
    covariance = np.arange(36.0).reshape(6, 6)
    message = messages.pose_with_covariance(np.eye(4), covariance, messages.header(0, "odom"))
    assert message.pose.covariance[7] == covariance[1, 1]
    assert message.pose.covariance[1] == covariance[0, 1]


def test_a_status_says_state_reason_and_numbers(result: Any, kit: Any) -> None:
    status = messages.frame_status("/vo_node", "cam", result, {"age_ms": 12.3456})
    values = kit.values(status)
    assert status.level == DiagnosticStatus.OK
    assert status.message == "TRACKING: the essential matrix is well supported"
    assert values["state"] == "TRACKING"
    assert values["reason"] == "OK"
    assert values["stamp"] == "12.500000000"
    assert values["reference_stamp"] == "12.000000345"
    assert (values["keypoints"], values["matches"], values["inliers"]) == ("4", "3", "2")
    assert values["age_ms"] == "12.346"
    assert values["metric"] == "false"


def test_a_stamp_is_written_exactly() -> None:
    assert messages.stamp_text(1_700_000_000_000_000_001) == "1700000000.000000001"
    assert messages.nanoseconds(messages.time_message(1_700_000_000_000_000_001)) == 1_700_000_000_000_000_001
