# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drcn_ros.matching.common_warp import common_warp

UNIT = np.eye(2, dtype=np.float32)


def similarity(degrees: float, scale: float) -> np.ndarray:
    return cv2.getRotationMatrix2D((160, 120), degrees, scale)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1), (30, 1.5), (-35, 0.6)])
def test_turn_and_scale_are_found_beside_parallax_and_wrong_matches(degrees: float, scale: float) -> None:
    random = np.random.default_rng(0)
    reference = random.uniform(0, 300, (400, 2)).astype(np.float32)
    matrix = similarity(degrees, scale)
    current = reference @ matrix[:, :2].T + matrix[:, 2] + random.normal(0, 2, (400, 2))
    current[::4] = random.uniform(0, 300, (100, 2))
    found = common_warp(reference, current.astype(np.float32))
    assert found.dtype == np.float32
    assert found == pytest.approx(matrix[:, :2], abs=0.03)


@pytest.mark.parametrize("count", [0, 3, 200])
def test_matches_that_share_nothing_leave_patches_as_they_are(count: int) -> None:
    random = np.random.default_rng(1)
    reference, current = random.uniform(0, 600, (2, count, 2)).astype(np.float32)
    assert np.array_equal(common_warp(reference, current), UNIT)


def test_one_and_the_same_point_leaves_patches_as_they_are() -> None:
    points = np.full((50, 2), 7, np.float32)
    assert np.array_equal(common_warp(points, points), UNIT)
