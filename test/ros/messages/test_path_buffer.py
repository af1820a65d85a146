# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path
from rclpy.serialization import deserialize_message, serialize_message

from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.ros.messages import convert
from drcn_ros.ros.messages.path_buffer import PathBuffer


def poses(count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    made = []
    for _ in range(count):
        pose = np.eye(4)
        pose[:3, :3] = rotation_matrix(generator.normal(size=3))
        pose[:3, 3] = generator.normal(size=3)
        made.append(pose)
    return made


def filled(capacity: int, count: int) -> PathBuffer:
    buffer = PathBuffer(capacity)
    for index, pose in enumerate(poses(count)):
        buffer.append(10**9 + index * 10**8 + 7, pose)
    return buffer


def seconds(buffer: PathBuffer) -> list[float]:
    path = deserialize_message(buffer.serialised("odom"), Path)
    return [round(1e-9 * convert.nanoseconds(pose.header.stamp), 6) for pose in path.poses]


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("frame_id", ["", "a", "map", "odom", "world", "robot1/odom", "ö"])
def test_the_bytes_are_read_as_the_message(frame_id: str, count: int) -> None:
    heads = [convert.header(10**9 + index * 10**8 + 7, frame_id) for index in range(count)]
    stamped = [
        PoseStamped(header=head, pose=convert.pose(pose))
        for pose, head in zip(poses(count), heads, strict=True)
    ]
    expected = Path(header=heads[-1], poses=stamped)
    ours = filled(10, count).serialised(frame_id)
    assert deserialize_message(ours, Path) == expected
    # What lies between the fields is not written by the middleware, so the bytes themselves may differ.
    assert len(ours) == len(serialize_message(expected))


def test_the_oldest_poses_go() -> None:
    buffer = filled(3, 50)
    assert len(buffer) == 3
    assert seconds(buffer) == [5.7, 5.8, 5.9]


def test_another_capacity_keeps_the_last_poses() -> None:
    assert seconds(filled(10, 15).resized(2)) == [2.3, 2.4]
    larger = filled(2, 15).resized(5)
    larger.append(9 * 10**9, np.eye(4))
    assert seconds(larger) == [2.3, 2.4, 9.0]


def test_a_cleared_buffer_starts_anew() -> None:
    buffer = filled(5, 7)
    buffer.clear()
    assert len(buffer) == 0
    buffer.append(8 * 10**9, np.eye(4))
    assert seconds(buffer) == [8.0]
