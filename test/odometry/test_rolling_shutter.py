# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A rolling shutter's part of the covariance grows with the speed of the image, and only of what moves."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.odometry import State
from drcn_ros.odometry.rolling_shutter import readout_px, with_readout


@pytest.fixture
def moving(point_world, straight_poses):
    def run(step: float):
        world = point_world(straight_poses(3, (step, 0.0, 0.0)), noise_px=0.1)
        return world.run(3)[-1]

    return run


def test_it_grows_with_readout_and_motion(moving):
    slow, fast = moving(0.05), moving(0.2)
    assert slow.state is fast.state is State.TRACKING
    assert readout_px(slow, 0.02) == pytest.approx(2.0 * readout_px(slow, 0.01))
    assert readout_px(fast, 0.02) > 2.5 * readout_px(slow, 0.02)


def test_it_widens_the_rotation_alike_and_the_direction_across_the_translation(moving):
    result = moving(0.2)
    noise = readout_px(result, 0.02)
    wide = with_readout(result, 0.02, 500.0)
    added = wide.relative_pose.covariance - result.relative_pose.covariance
    assert added[3:, 3:] == pytest.approx((noise / 500.0) ** 2 * np.eye(3))
    assert wide.rotation_covariance - result.rotation_covariance == pytest.approx(added[3:, 3:])
    along = result.relative_pose.translation
    assert along @ added[:3, :3] @ along == pytest.approx(0.0, abs=1e-12)
    assert np.trace(added[:3, :3]) == pytest.approx(2.0 * (noise / result.parallax_px) ** 2)
    assert np.array_equal(wide.pose, result.pose)


def test_a_global_shutter_and_a_first_frame_stay_as_they_are(moving, point_world, straight_poses):
    result = moving(0.2)
    assert with_readout(result, 0.0, 500.0) is result
    first = point_world(straight_poses(1, (0.1, 0.0, 0.0))).run(1)[0]
    assert with_readout(first, 0.02, 500.0) is first
