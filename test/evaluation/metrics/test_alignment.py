# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The similarity between two paths is found again, and not made up where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.evaluation.metrics.alignment import align_similarity
from drcn_ros.geometry.rotation import rotation_matrix


def test_a_moved_turned_and_scaled_path_comes_back():
    random = np.random.default_rng(0)
    points = random.standard_normal((30, 3))
    rotation, translation = rotation_matrix(np.array([0.4, -1.1, 2.0])), np.array([5.0, -3.0, 1.0])
    found = align_similarity(points, 0.3 * points @ rotation.T + translation)
    assert found is not None
    assert found.scale == pytest.approx(0.3)
    assert found.rotation == pytest.approx(rotation)
    assert found.translation == pytest.approx(translation)


def test_a_mirrored_path_is_aligned_without_a_mirror():
    points = np.random.default_rng(1).standard_normal((30, 3))
    found = align_similarity(points, points * [1, 1, -1])
    assert found is not None
    assert np.linalg.det(found.rotation) == pytest.approx(1)


def test_a_flat_path_is_enough():
    points = np.random.default_rng(2).standard_normal((30, 3)) * [1, 1, 0]
    found = align_similarity(points, 2 * points)
    assert found is not None
    assert found.rotation == pytest.approx(np.eye(3))


@pytest.mark.parametrize(
    "points",
    [np.zeros((2, 3)), np.ones((10, 3)), np.outer(np.arange(10.0), [1, 2, 3])],
    ids=["two", "equal", "straight"],
)
def test_positions_that_determine_nothing_give_nothing(points):
    assert align_similarity(points, points) is None


def test_poses_turn_with_their_positions():
    points = np.random.default_rng(3).standard_normal((5, 3))
    rotation = rotation_matrix(np.array([0, 0, 0.7]))
    found = align_similarity(points, 2 * points @ rotation.T)
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, :3, 3] = points
    moved = found.apply_to_poses(poses)
    assert moved[:, :3, :3] == pytest.approx(np.tile(rotation, (5, 1, 1)))
    assert moved[:, :3, 3] == pytest.approx(2 * points @ rotation.T)
