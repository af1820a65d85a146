# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np

from drcn_ros.training import warps
from drcn_ros.training.config import PairConfig


def test_an_easy_homography_keeps_the_centre_near_and_the_scale() -> None:
    for seed in range(20):
        homography = warps.random_homography(
            np.random.default_rng(seed), 160, hard=False, config=PairConfig()
        )
        centre = warps.apply(homography, np.full((1, 2), 79.5, np.float32))
        assert np.abs(centre - 79.5).max() < 0.15 * 160
        assert 0.8 < warps.local_scale(homography, 160) < 1.25


def test_a_strong_homography_turns_and_scales_as_far_as_it_is_told() -> None:
    config = PairConfig(turn=90.0, scale=3.0)
    turns, scales = [], []
    for seed in range(60):
        homography = warps.random_homography(np.random.default_rng(seed), 160, hard=True, config=config)
        ends = warps.apply(homography, np.array([[79.5, 79.5], [89.5, 79.5]], np.float32))
        across = ends[1] - ends[0]
        turns.append(abs(np.degrees(np.arctan2(across[1], across[0]))))
        scales.append(warps.local_scale(homography, 160))
    # The defaults end at 35 degrees but for one pair in ten, and at 1.73.
    assert sum(turn > 50.0 for turn in turns) > 10
    assert max(scales) > 2.2


def test_local_scale_is_that_of_a_similarity() -> None:
    scaled = np.array([[3.0, 0, 5], [0, 3, -2], [0, 0, 1]])
    assert abs(warps.local_scale(scaled, 64) - 3.0) < 1e-4


def test_parallax_and_rolling_shutter_move_by_a_part_of_the_image() -> None:
    random = np.random.default_rng(0)
    shifts = [warps.random_parallax(random, 64, hard=True) for _ in range(10)]
    assert 1.0 < max(float(np.abs(shift).max()) for shift in shifts) < 0.15 * 64
    rows = warps.rolling_shutter(random, 64)
    assert rows.shape == (64, 64, 2)
    # All pixels of a row are read at once.
    assert np.ptp(rows, axis=1).max() == 0
    assert np.ptp(rows, axis=0).max() > 0
