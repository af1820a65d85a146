# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.ros.messages import convert


@pytest.mark.parametrize(
    "vector", [[0.0, 0.0, 0.0], [3.1, 0.1, 0.0], [0.0, -3.1, 0.2], [0.3, 0.2, 3.0], [1.0, 2.0, -0.5]]
)
def test_a_quaternion_turns_as_its_matrix_does(vector: list[float]) -> None:
    rotation = rotation_matrix(np.array(vector))
    x, y, z, w = convert.quaternion(rotation)
    axis = np.array([x, y, z])
    point = np.array([0.3, -0.7, 0.2])
    turned = point + 2.0 * np.cross(axis, np.cross(axis, point) + w * point)
    assert turned == pytest.approx(rotation @ point)
    assert w >= 0.0


def test_a_pose_keeps_its_covariance_row_by_row() -> None:
    covariance = np.arange(36.0).reshape(6, 6)
    message = convert.pose_with_covariance(np.eye(4), covariance, convert.header(0, "odom"))
    assert message.pose.covariance[7] == covariance[1, 1]
    assert message.pose.covariance[1] == covariance[0, 1]


def test_a_status_says_state_reason_and_numbers(result: Any, kit: Any) -> None:
    status = convert.frame_status("/vo_node", "cam", result, {"age_ms": 12.3456})
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
    assert convert.stamp_text(1_700_000_000_000_000_001) == "1700000000.000000001"
    assert convert.nanoseconds(convert.time_message(1_700_000_000_000_000_001)) == 1_700_000_000_000_000_001
