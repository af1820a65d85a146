# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A frame's pose from landmarks whose depths are known more or less."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.rotation import rotation_matrix, rotation_vector
from drcn_ros.odometry.map_pose import SeenLandmarks, pose_from_landmarks

FOCAL = 500.0
ROTATION = rotation_matrix(np.array([0.01, -0.05, 0.02]))
POSITION = np.array([0.2, -0.1, 1.0])


@pytest.fixture
def landmarks():
    """Makes landmarks that a camera at the origin knows with a relative deviation, seen from the pose."""

    def make(deviation: float, wrong: float = 0.0, count: int = 300, seed: int = 1) -> SeenLandmarks:
        rng = np.random.default_rng(seed)
        depth = rng.uniform(4.0, 30.0, count)
        true = np.column_stack([rng.uniform(-0.5, 0.5, (count, 2)), np.ones(count)]) * depth[:, None]
        local = (true - POSITION) @ ROTATION
        rays = local[:, :2] / local[:, 2:] + rng.normal(0.0, 0.3 / FOCAL, (count, 2))
        outlier = rng.random(count) < wrong
        rays[outlier] += rng.uniform(-0.2, 0.2, (int(outlier.sum()), 2))
        known = true * np.exp(deviation * rng.normal(size=count))[:, None]
        return SeenLandmarks(
            known, np.zeros((count, 3)), np.full(count, deviation), rays, np.full(count, 0.3)
        )

    return make


def _errors(found):
    angle = np.linalg.norm(rotation_vector(ROTATION.T @ found.rotation))
    return angle, np.linalg.norm(found.position - POSITION)


@pytest.mark.parametrize("wrong", [0.0, 0.3])
def test_the_pose_comes_back_from_a_start_that_is_off(landmarks, wrong):
    start = (rotation_matrix(np.array([0.005, 0.0, 0.0])) @ ROTATION, POSITION + 0.1)
    found = pose_from_landmarks(start, landmarks(0.01, wrong), FOCAL, None)
    angle, distance = _errors(found)
    assert angle < 2e-4
    assert distance < 0.01
    assert found.agree > 0.9 * (1.0 - wrong) * 300


def test_the_step_is_not_shortened_by_uncertain_depths(landmarks):
    lengths = []
    for seed in range(20):
        seen = landmarks(0.3, seed=seed)
        found = pose_from_landmarks((ROTATION, POSITION), seen, FOCAL, None)
        lengths.append(np.linalg.norm(found.position))
    assert abs(np.mean(lengths) / np.linalg.norm(POSITION) - 1.0) < 0.05


def test_a_rotation_known_otherwise_counts_by_its_information(landmarks):
    other = rotation_matrix(np.array([0.0, 0.01, 0.0])) @ ROTATION
    seen = landmarks(0.01)
    weak = pose_from_landmarks((ROTATION, POSITION), seen, FOCAL, (other, np.eye(3)))
    strong = pose_from_landmarks((ROTATION, POSITION), seen, FOCAL, (other, 1e12 * np.eye(3)))
    assert _errors(weak)[0] < 2e-4
    assert abs(_errors(strong)[0] - 0.01) < 1e-3


def test_landmarks_behind_the_camera_agree_with_nothing(landmarks):
    seen = landmarks(0.01)
    behind = SeenLandmarks(-seen.points, seen.origins, seen.relative, seen.rays, seen.noise)
    found = pose_from_landmarks((ROTATION, POSITION), behind, FOCAL, None)
    assert found.agree < 30
    assert np.isfinite(found.position).all()
