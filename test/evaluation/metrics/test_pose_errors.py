# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A relative pose is judged by its rotation and by the direction of its translation."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.evaluation.metrics.pose_errors import angle_between, angle_between_rotations, pose_error
from drcn_ros.geometry.rotation import rotation_matrix


def pose(vector: list[float], position: list[float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation_matrix(np.array(vector)), position
    return matrix


REFERENCE = pose([0.3, -0.2, 0.5], [1.0, 2.0, 3.0])
RELATIVE = pose([0.02, 0.03, -0.01], [0.1, 0.0, 0.2])
CURRENT = REFERENCE @ RELATIVE


def test_the_true_pose_has_no_error_whatever_the_length_of_its_direction():
    error = pose_error(RELATIVE[:3, :3], 17 * RELATIVE[:3, 3], REFERENCE, CURRENT, 0.01)
    assert error.rotation_deg == pytest.approx(0, abs=1e-9)
    assert error.direction_deg == pytest.approx(0, abs=1e-9)
    assert error.moved_m == pytest.approx(np.hypot(0.1, 0.2))


def test_errors_are_angles_in_degrees():
    turned = RELATIVE[:3, :3] @ rotation_matrix(np.radians([0, 0.5, 0]))
    side = np.cross(RELATIVE[:3, 3], [0, 1, 0])
    error = pose_error(turned, side, REFERENCE, CURRENT, 0.01)
    assert error.rotation_deg == pytest.approx(0.5)
    assert error.direction_deg == pytest.approx(90)


def test_a_camera_that_hardly_moves_has_no_direction():
    error = pose_error(RELATIVE[:3, :3], RELATIVE[:3, 3], REFERENCE, CURRENT, min_motion=0.5)
    assert error.direction_deg is None
    assert error.rotation_deg is not None


def test_what_is_not_estimated_is_not_judged():
    error = pose_error(None, None, REFERENCE, CURRENT, 0.01)
    assert error.rotation_deg is None
    assert error.direction_deg is None


@pytest.mark.parametrize("degrees", [1e-7, 1e-3, 1.0, 179.0, 180.0])
def test_angles_are_exact_where_cosines_are_flat(degrees):
    axis = np.array([0.6, 0.0, 0.8])
    rotation = rotation_matrix(np.radians(degrees) * axis)
    assert angle_between_rotations(np.eye(3), rotation) == pytest.approx(degrees, rel=1e-7)
    turned = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0])
    assert angle_between(np.array([2.0, 0, 0]), turned) == pytest.approx(degrees, rel=1e-7)
