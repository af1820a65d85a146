# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera paths give rigid, smooth poses that move as they are called."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.scenes import paths

ALL = {
    "drive": paths.drive((0, 0, 1), 0.2, [(1.0, 0.8, 0.0), (1.0, 0.5, 0.6)], sway=1.0),
    "orbit": paths.orbit((1, 2, 0.5), 1.5, 1.2, 0.4),
    "hover": paths.hover((1, 1, 1), 0.3, 0.05),
    "turn": paths.turn((1, 1, 1), 0.0, 0.5),
    "slide": paths.slide((0, 0, 0), 0.1, (0.1, 0.2, 0.0)),
    "still": paths.still((0, 0, 1), 1.0),
}


@pytest.mark.parametrize("name", ALL)
def test_every_pose_is_rigid_and_close_to_the_one_before(name):
    poses = [ALL[name](time) for time in np.arange(0, 3, 0.02)]
    for pose in poses:
        assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
    steps = np.abs(np.diff(poses, axis=0))
    assert steps.max() < 0.03


def test_the_optical_frame_has_z_forward_x_right_y_down():
    pose = paths.looking((0, 0, 0), 0.0)
    assert pose[:3, 2] == pytest.approx([1, 0, 0])
    assert pose[:3, 0] == pytest.approx([0, -1, 0])
    assert pose[:3, 1] == pytest.approx([0, 0, -1])


def test_a_positive_pitch_looks_up():
    assert paths.looking((0, 0, 0), 0.0, pitch=0.2)[2, 2] > 0.1


def test_a_drive_covers_its_legs_and_its_stop_is_a_stop():
    path = paths.drive((0, 0, 1), 0.0, [(2.0, 1.0, 0.0), (2.0, 0.0, 0.0)], sway=1.0, smoothing=0.4)
    assert path(3.0)[0, 3] == pytest.approx(2.0, abs=0.01)
    assert np.array_equal(path(3.0), path(3.5))


def test_an_orbit_keeps_its_centre_in_the_middle_of_the_view():
    centre = np.array([1.0, 2.0, 0.5])
    pose = paths.orbit(centre, 1.5, 1.2, 0.4)(2.0)
    seen = pose[:3, :3].T @ (centre - pose[:3, 3])
    assert seen[:2] == pytest.approx([0, 0], abs=1e-12)
    assert seen[2] > 1.5


def test_a_turn_has_no_translation():
    path = paths.turn((1, 2, 3), 0.0, 0.5)
    assert path(1.0)[:3, 3] == pytest.approx(path(0.0)[:3, 3])
    assert path(1.0)[:3, 2] == pytest.approx([np.cos(0.5), np.sin(0.5), 0])
