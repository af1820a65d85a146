# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The segments of a run become one path."""

from __future__ import annotations

import numpy as np

from drcn_ros.evaluation.estimates import estimated_path


def shifted(x: float) -> np.ndarray:
    pose = np.eye(4)
    pose[0, 3] = x
    return pose


def test_a_restart_goes_on_from_the_last_known_pose():
    poses = np.stack([shifted(x) for x in (0, 1, 2, 0, 1)])
    path = estimated_path([1, 2, 3, 4, 5], poses, [0, 0, 0, 1, 1], [True] * 5)
    assert path.known.positions[:, 0].tolist() == [0, 1, 2, 2, 3]


def test_lost_frames_are_left_out_and_repeat_the_last_pose_where_each_frame_needs_one():
    poses = np.stack([shifted(x) for x in (0, 1, 1, 2)])
    path = estimated_path([1, 2, 3, 4], poses, [0] * 4, [True, True, False, True])
    assert path.known.stamps_ns.tolist() == [1, 2, 4]
    assert path.every[:, 0, 3].tolist() == [0, 1, 1, 2]


def test_a_run_without_any_pose_has_an_empty_path():
    path = estimated_path([1, 2], np.stack([np.eye(4)] * 2), [0, 0], [False, False])
    assert len(path.known) == 0
    assert len(path.every) == 2
