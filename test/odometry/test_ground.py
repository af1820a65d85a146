# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.odometry.ground import ground_height


def scene(height: float, pitch: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    ground = np.column_stack([rng.uniform(-3, 3, 80), np.full(80, height), rng.uniform(2, 12, 80)])
    ground[:, 1] += rng.normal(0.0, 0.01, 80)
    walls = rng.uniform([-4.0, -3.0, 3.0], [4.0, height, 12.0], (120, 3))
    points = np.vstack([ground, walls])
    cosine, sine = np.cos(pitch), np.sin(pitch)
    return points @ np.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]]).T


def test_the_distance_to_level_ground_is_found_among_other_points():
    assert ground_height(scene(1.6), 0.0) == pytest.approx(1.6, rel=0.02)


def test_without_ground_there_is_no_height():
    rng = np.random.default_rng(0)
    assert ground_height(rng.uniform([-3, -3, 2], [3, -0.5, 9], (200, 3)), 0.0) is None
    assert ground_height(np.zeros((0, 3)), 0.0) is None
