# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.triangulation import triangulate

ROTATION = rotation_matrix(np.array([0.1, -0.2, 0.05]))
TRANSLATION = np.array([0.6, -0.2, 0.3])


def rays(points: np.ndarray) -> np.ndarray:
    return points[:, :2] / points[:, 2:]


def seen_from_both(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return rays(points), rays((points - TRANSLATION) @ ROTATION)


def test_exact_rays_meet_in_the_point() -> None:
    truth = np.random.default_rng(0).uniform([-2.0, -2.0, 2.0], [2.0, 2.0, 9.0], (50, 3))
    points, angles = triangulate(*seen_from_both(truth), ROTATION, TRANSLATION)
    assert points == pytest.approx(truth)
    to_current = truth - TRANSLATION
    cosine = (truth * to_current).sum(axis=1)
    cosine /= np.linalg.norm(truth, axis=1) * np.linalg.norm(to_current, axis=1)
    assert angles == pytest.approx(np.arccos(cosine))


def test_a_far_point_is_seen_at_a_small_angle() -> None:
    _, angles = triangulate(*seen_from_both(np.array([[10.0, 0.0, 1e5]])), ROTATION, TRANSLATION)
    assert angles[0] < 1e-5


def test_rays_that_meet_behind_a_camera_or_nowhere_give_no_point() -> None:
    reference, current = seen_from_both(np.array([[0.5, 0.2, -4.0], [0.1, 0.1, 5.0]]))
    points, _ = triangulate(reference, current, ROTATION, TRANSLATION)
    assert np.isnan(points[0]).all()
    assert np.isfinite(points[1]).all()
    parallel = np.array([[0.1, 0.2]])
    assert np.isnan(triangulate(parallel, parallel, np.eye(3), TRANSLATION)[0]).all()


def test_no_rays_give_no_points() -> None:
    points, angles = triangulate(np.zeros((0, 2)), np.zeros((0, 2)), ROTATION, TRANSLATION)
    assert points.shape == (0, 3)
    assert angles.shape == (0,)
