# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The matches that the search starts from cover the image."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.spreading import evenly_spread


def test_the_best_of_each_part_of_the_image_come_before_a_crowd_of_better_ones():
    rng = np.random.default_rng(0)
    crowd = rng.uniform(300.0, 320.0, (2, 500))
    others = rng.uniform(0.0, 640.0, (2, 300))
    rows = evenly_spread(np.hstack([crowd, others]))
    assert len(set(rows)) == len(rows) == 160
    assert (rows >= 500).mean() > 0.9


def test_few_points_are_all_taken_best_first_where_they_share_no_part():
    points = np.array([[0.0, 100.0, 200.0, 200.0], [0.0, 100.0, 0.0, 200.0]])
    assert evenly_spread(points).tolist() == [0, 1, 2, 3]


def test_equal_points_are_no_error():
    assert evenly_spread(np.ones((2, 9))).tolist() == [0, 1, 2, 3, 4]
