# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The landmarks that a running node publishes: a picture that slides by is a plane before the camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import PoseWithCovarianceStamped
from sensor_msgs.msg import CameraInfo, PointCloud2

from drcn_ros.ros.messages.convert import nanoseconds
from drcn_ros.ros.session.recorder import cloud_rows

pytestmark = pytest.mark.dds


def test_landmarks_lie_on_the_plane_that_the_camera_sees(start: Callable[..., Any], kit: Any) -> None:
    setup = start(matcher__name="orb", matcher__max_keypoints=600)
    setup.camera.advertise("/camera_info", CameraInfo)
    setup.listener.listen("/vo_node/pose", PoseWithCovarianceStamped)
    setup.listener.listen("/vo_node/keypoints", PointCloud2)
    setup.camera.publish("/camera_info", kit.camera_info())
    for index in range(4):
        setup.show(kit.image(kit.texture(shift=6.0 * index), setup.next_stamp()))
    setup.listener.listen("/vo_node/points", PointCloud2)
    for index in range(4, 14):
        setup.show(kit.image(kit.texture(shift=6.0 * index), setup.next_stamp()))
    clouds = kit.wait_until(lambda: setup.listener.messages("/vo_node/points"))
    # None of the frames before somebody listened.
    assert len(clouds) <= 10
    cloud = clouds[-1]
    stamp = nanoseconds(cloud.header.stamp)
    same = setup.listener.wait_for("/vo_node/pose", lambda m: nanoseconds(m.header.stamp) == stamp)
    assert cloud.header.frame_id == same.header.frame_id == "odom"
    assert [field.name for field in cloud.fields] == ["x", "y", "z", "variance", "id", "observations"]
    rows = cloud_rows(cloud)
    assert len(rows) > 80
    assert len(np.unique(rows["id"])) == len(rows)
    assert rows["observations"].min() >= 2
    assert rows["observations"].max() > 2
    depth = np.median(rows["z"])
    deviation = np.sqrt(rows["variance"])
    assert np.median(np.abs(rows["z"] / depth - 1.0)) < 0.05
    assert np.median(np.abs(rows["z"] - depth) / deviation) < 2.0
    # The camera went 6 pixels a frame to the right, at a focal length of 500.
    went = same.pose.pose.position.x
    frames = (stamp - nanoseconds(setup.listener.messages("/vo_node/pose")[0].header.stamp)) / 5e7
    assert went / depth == pytest.approx(frames * 6.0 / 500.0, rel=0.05)
    # Ids are those of the keypoints.
    keypoints = setup.listener.wait_for("/vo_node/keypoints", lambda m: nanoseconds(m.header.stamp) == stamp)
    assert np.isin(cloud_rows(keypoints)["id"], rows["id"]).sum() > 40
