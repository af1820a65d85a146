# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is expected of a camera after a gap is where its last motion leads to."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.odometry.motion_so_far import MotionSoFar

STEP_NS = 100_000_000


def _bend(count):
    """Return poses along an arc: 4 degrees and a metre at each of the steps."""
    step = np.eye(4)
    step[:3, :3], step[:3, 3] = rotation_matrix(np.array([0.0, np.radians(4.0), 0.0])), [0.0, 0.0, 1.0]
    return [np.linalg.matrix_power(step, index) for index in range(count)]


@pytest.mark.parametrize("steps", [1, 11])
def test_a_bend_goes_on_over_a_gap(steps):
    poses, motion = _bend(5 + steps), MotionSoFar()
    for index in range(5):
        motion.add(index * STEP_NS, poses[index])
    assert motion.ahead((4 + steps) * STEP_NS) == pytest.approx(poses[4 + steps], abs=1e-9)
    assert motion.seconds_since((4 + steps) * STEP_NS) == pytest.approx(0.1 * steps)


def test_a_part_of_a_step_is_a_part_of_its_motion():
    poses, motion = _bend(2), MotionSoFar()
    for index in range(2):
        motion.add(index * STEP_NS, poses[index])
    half = motion.ahead(STEP_NS + STEP_NS // 2)
    assert half[:3, :3] == pytest.approx(rotation_matrix(np.array([0.0, np.radians(6.0), 0.0])), abs=1e-9)
    assert np.linalg.norm(half[:3, 3] - poses[1][:3, 3]) == pytest.approx(0.5)


def test_one_wrong_step_does_not_tell_the_speed():
    motion = MotionSoFar()
    for index, pose in enumerate(_bend(7)):
        pose[0, 3] += 30.0 * (index == 4)
        motion.add(index * STEP_NS, pose)
    assert motion.speed == pytest.approx(10.0)


def test_nothing_is_expected_of_what_is_not_known():
    motion = MotionSoFar()
    assert (motion.last, motion.speed, motion.ahead(0)) == (None, None, None)
    motion.add(0, np.eye(4))
    assert motion.last is not None
    assert motion.ahead(STEP_NS) is None
    motion.add(STEP_NS, np.eye(4))
    # It has stood still.
    assert motion.speed is None
    assert motion.ahead(40 * STEP_NS) is None
