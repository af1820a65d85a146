# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from drcn_ros.geometry.uncertain_pose import invert
from drcn_ros.mapping import Mapper, TrackedFrame

Frames = Callable[..., list[TrackedFrame]]
Circle = Callable[..., np.ndarray]


def test_without_loops_the_map_is_the_odometry(world: Frames, circle: Circle) -> None:
    poses, mapper = circle(40, turns=0.5), Mapper()
    for frame in world(poses):
        mapper.add(frame)
        assert mapper.map_from_odom == pytest.approx(np.eye(4), abs=1e-9)
    assert mapper.path().poses == pytest.approx(poses, abs=1e-9)
    assert 5 < len(mapper) < 40
    assert len(mapper.graph().odometry) == len(mapper) - 1


def test_frames_that_come_twice_or_late_change_nothing(world: Frames, circle: Circle) -> None:
    frames, mapper = world(circle(10, turns=0.1)), Mapper()
    for frame in (*frames, frames[-1], frames[3]):
        mapper.add(frame)
    assert len(mapper.path()) == 10


def test_a_new_segment_goes_on_where_the_last_ended(world: Frames, circle: Circle) -> None:
    poses, mapper = circle(20, turns=0.3), Mapper()
    for frame in world(poses):
        mapper.add(frame)
    again = invert(poses[0]) @ poses
    for frame in world(poses, again, segment=1):
        mapper.add(frame)
    path, keyframes = mapper.path(), mapper.keyframe_path()
    last = keyframes.poses[np.flatnonzero(keyframes.segments == 0)[-1]]
    assert path.poses[20] == pytest.approx(last)
    assert (path.segments == [0] * 20 + [1] * 20).all()


def test_a_frame_whose_points_did_not_arrive_is_on_the_path_and_no_keyframe(
    world: Frames, circle: Circle
) -> None:
    mapper = Mapper()
    frames = world(circle(10, turns=0.5))
    updates = [
        mapper.add(frame if index != 5 else replace(frame, points=None)) for index, frame in enumerate(frames)
    ]
    assert updates[5].keyframe is None
    assert updates[4].keyframe is not None
    assert len(mapper.path()) == 10
