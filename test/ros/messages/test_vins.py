# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import PointCloud

from drcn_ros.geometry.camera import Camera
from drcn_ros.matching.types import Keypoints
from drcn_ros.odometry import Tracks
from drcn_ros.ros.messages.convert import header
from drcn_ros.ros.messages.rays import RayTable
from drcn_ros.ros.messages.vins import VinsTracks

CAMERA = Camera(640, 480, fx=500.0, fy=500.0, cx=320.0, cy=240.0)
HEAD = header(0, "cam")


def frame(kit: Any, ids: list[int], stamp: float, shift: float = 0.0, **changes: Any) -> Any:
    points = np.array([[100.0 + 10.0 * n + shift, 50.0] for n in ids], np.float32).reshape(-1, 2)
    ones = np.ones(len(ids), np.float32)
    return kit.result(
        stamp_ns=round(stamp * 1e9),
        keypoints=Keypoints(points, ones, ones),
        tracks=Tracks(np.array(ids, np.uint32), np.ones(len(ids), np.uint32)),
        **changes,
    )


def add(tracks: VinsTracks, result: Any, camera: Camera | None, layout: str, head: Any) -> tuple[Any, bool]:
    """Return the message that a subscriber gets, and whether it must restart."""
    sent, restart = tracks.add(result, RayTable(camera).rays(result.keypoints.points), layout, head)
    return None if sent is None else deserialize_message(sent, PointCloud), restart


def test_only_tracks_seen_twice_are_sent_with_their_velocity(kit: Any) -> None:
    tracks = VinsTracks()
    assert add(tracks, frame(kit, [1, 2, 3], 10.0), CAMERA, "mono", HEAD) == (None, False)
    message, restart = add(tracks, frame(kit, [3, 9, 2], 10.1, shift=5.0), CAMERA, "mono", HEAD)
    assert not restart
    assert [channel.name for channel in message.channels] == ["id", "u", "v", "vx", "vy"]
    ids, u, v, vx, vy = (list(channel.values) for channel in message.channels)
    assert ids == [2.0, 3.0]
    assert u == [125.0, 135.0]
    assert v == [50.0, 50.0]
    assert vx == pytest.approx([5.0 / 500.0 / 0.1] * 2)
    assert vy == pytest.approx([0.0, 0.0])
    assert [(p.x, p.y, p.z) for p in message.points] == [
        (pytest.approx((x - 320.0) / 500.0), pytest.approx((50.0 - 240.0) / 500.0), 1.0) for x in u
    ]


def test_vins_fusion_gets_nine_channels(kit: Any) -> None:
    tracks = VinsTracks()
    add(tracks, frame(kit, [1], 10.0), CAMERA, "fusion", HEAD)
    message, _ = add(tracks, frame(kit, [1], 10.1), CAMERA, "fusion", HEAD)
    assert [channel.name for channel in message.channels] == [
        "id", "camera", "u", "v", "vx", "vy", "gx", "gy", "gz"
    ]  # fmt: skip
    assert [list(channel.values) for channel in message.channels[:3]] == [[1.0], [0.0], [110.0]]


@pytest.mark.parametrize(
    ("stamp", "segment"), [(9.0, 0), (10.0, 0), (11.5, 0), (10.1, 1)], ids=["back", "equal", "gap", "reset"]
)
def test_a_break_sends_a_restart_and_skips_one_message(kit: Any, stamp: float, segment: int) -> None:
    tracks = VinsTracks()
    add(tracks, frame(kit, [1], 9.9), CAMERA, "mono", HEAD)
    add(tracks, frame(kit, [1], 10.0), CAMERA, "mono", HEAD)
    assert add(tracks, frame(kit, [1], stamp, segment=segment), CAMERA, "mono", HEAD) == (None, True)
    message, restart = add(tracks, frame(kit, [1], stamp + 0.1, segment=segment), CAMERA, "mono", HEAD)
    assert message is not None
    assert not restart


def test_without_calibration_nothing_is_sent(kit: Any) -> None:
    tracks = VinsTracks()
    for stamp in (10.0, 10.1):
        assert add(tracks, frame(kit, [1], stamp), None, "mono", HEAD) == (None, False)


def test_ids_stay_exact_as_float32(kit: Any) -> None:
    tracks = VinsTracks()
    huge = [2**24 + 1, 2**24 - 1]
    add(tracks, frame(kit, huge, 10.0), CAMERA, "mono", HEAD)
    message, _ = add(tracks, frame(kit, huge, 10.1), CAMERA, "mono", HEAD)
    assert sorted(np.float32(message.channels[0].values).astype(int)) == [1, 2**24 - 1]
