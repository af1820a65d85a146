# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matches of unknown cameras are told apart from wrong ones by one geometry."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.uncalibrated import FUNDAMENTAL, HOMOGRAPHY, agreement

K = np.array([[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]])


def views(rng: np.random.Generator, flat: bool, moved: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return where points fall in two images, with half a pixel of noise."""
    count = 300
    depth = np.full(count, 4.0) if flat else rng.uniform(2.0, 8.0, count)
    points = np.column_stack([rng.uniform(-0.5, 0.5, (count, 2)), np.ones(count)]) * depth[:, None]
    rotation = rotation_matrix(np.array([0.02, 0.05, -0.03]))
    other = points @ rotation.T + (np.array([0.4, -0.1, 0.2]) if moved else 0.0)
    seen = [(view @ K.T)[:, :2] / view[:, 2:] for view in (points, other)]
    return seen[0] + rng.normal(0, 0.3, (count, 2)), seen[1] + rng.normal(0, 0.3, (count, 2))


@pytest.mark.parametrize(
    ("flat", "moved", "model"),
    [(False, True, FUNDAMENTAL), (True, True, HOMOGRAPHY), (False, False, HOMOGRAPHY)],
    ids=["room", "wall", "turn"],
)
def test_right_matches_agree_and_wrong_ones_do_not(flat: bool, moved: bool, model: str) -> None:
    rng = np.random.default_rng(0)
    reference, current = views(rng, flat, moved)
    wrong = rng.uniform([0, 0], [640, 480], (200, 2))
    reference, current = np.vstack([reference, rng.uniform(0, 480, (200, 2))]), np.vstack([current, wrong])
    found = agreement(reference, current, TwoViewConfig())
    assert found.model == model
    assert found.inliers[:300].mean() > 0.9
    assert found.inliers[300:].mean() < 0.1


@pytest.mark.parametrize("count", [0, 10, 100, 600])
def test_matches_at_random_agree_on_nothing(count: int) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform([0, 0, 0, 0], [320, 240, 320, 240], (count, 4))
    found = agreement(points[:, :2], points[:, 2:], TwoViewConfig())
    assert found.model == ""
    assert found.inliers.shape == (count,)
    assert not found.inliers.any()
