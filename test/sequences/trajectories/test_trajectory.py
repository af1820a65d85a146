# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A trajectory tells poses at any time, and where it knows none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.sequences.trajectories.trajectory import Trajectory

SECOND = 1_000_000_000


def line(stamps_s: list[float]) -> Trajectory:
    """One metre per second along x, a quarter turn about z per second."""
    times = np.array(stamps_s)
    positions = np.stack([times, 0 * times, 0 * times], axis=1)
    half = times * np.pi / 4
    quaternions = np.stack([0 * half, 0 * half, np.sin(half), np.cos(half)], axis=1)
    return Trajectory.from_quaternions([round(t * SECOND) for t in times], positions, quaternions)


def test_between_two_poses_it_interpolates_place_and_rotation():
    poses, known = line([0.0, 0.1]).at([SECOND // 20])
    assert known.all()
    assert poses[0, :3, 3] == pytest.approx([0.05, 0, 0])
    angle = 0.05 * np.pi / 2
    assert poses[0, :2, 0] == pytest.approx([np.cos(angle), np.sin(angle)])


def test_at_its_own_stamps_it_returns_its_own_poses_to_the_last_bit():
    trajectory = line([0.0, 0.1, 0.2])
    poses, known = trajectory.at(trajectory.stamps_ns)
    assert known.all()
    assert np.array_equal(poses, trajectory.poses)


def test_outside_and_inside_gaps_it_knows_nothing():
    trajectory = line([0.0, 0.05, 0.1, 2.0, 2.05])
    _, known = trajectory.at([round(t * SECOND) for t in (-0.01, 0.07, 1.0, 2.0, 2.06)])
    assert known.tolist() == [False, True, False, True, False]


def test_slow_ground_truth_is_interpolated_only_where_that_is_asked_for():
    slow = line([0.0, 1.0, 2.0, 3.0])
    wanted = [SECOND // 2, SECOND, 5 * SECOND // 2]
    assert slow.at(wanted)[1].tolist() == [False, True, False]
    assert replace(slow, max_gap_ns=SECOND).at(wanted)[1].all()


def test_poses_are_sorted_and_the_first_of_equal_stamps_stays():
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 0, 3] = [5, 6, 7]
    trajectory = Trajectory.from_poses([20, 10, 20], poses)
    assert trajectory.stamps_ns.tolist() == [10, 20]
    assert trajectory.positions[:, 0].tolist() == [6, 5]


def test_an_empty_trajectory_knows_nothing():
    empty = Trajectory.from_poses([], np.zeros((0, 4, 4)))
    assert len(empty) == 0
    assert empty.length == 0
    assert not empty.at([1, 2])[1].any()


def test_its_length_is_that_of_the_path():
    assert line([0.0, 0.5, 2.0]).length == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("quaternion", "message"),
    [([0, 0, 0, 0], "quaternion of pose 0 is zero"), ([0, 0, 0, np.nan], "not finite")],
)
def test_numbers_that_are_no_pose_are_refused(quaternion, message):
    with pytest.raises(InputError, match=message):
        Trajectory.from_quaternions([0], np.zeros((1, 3)), np.array([quaternion], float))
