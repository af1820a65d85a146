# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drcn_ros.ros.node.drawing import INLIER, OUTLIER, TAIL, MatchPainter


def has(picture: np.ndarray, colour: tuple[int, int, int], x: float, y: float, radius: int = 3) -> bool:
    left, top = max(0, round(x) - radius), max(0, round(y) - radius)
    patch = picture[top : round(y) + radius + 1, left : round(x) + radius + 1].astype(int)
    return bool((np.abs(patch - colour).sum(axis=2) < 60).any())


@pytest.mark.parametrize("shape", [(480, 640), (480, 640, 3)])
def test_inliers_and_outliers_are_drawn_where_they_are(shape: tuple[int, ...], result: Any) -> None:
    image = np.full(shape, 128, np.uint8)
    picture = MatchPainter().paint(image, result)
    assert picture.shape == (480, 640, 3)
    for (x, y), inlier in zip(result.matches.current_points, result.inliers, strict=True):
        assert has(picture, INLIER if inlier else OUTLIER, x, y)
        assert not has(picture, OUTLIER if inlier else INLIER, x, y)
    assert (image == 128).all(), "the image itself must stay as it is"


def test_a_track_has_a_tail_through_its_former_positions(kit: Any) -> None:
    from drcn_ros.matching.types import Keypoints, Matches
    from drcn_ros.odometry import Tracks

    painter = MatchPainter()
    image = np.zeros((480, 640), np.uint8)
    for step in range(4):
        points = np.array([[100.0 + 40.0 * step, 200.0]], np.float32)
        one = np.ones(1, np.float32)
        picture = painter.paint(
            image,
            kit.result(
                keypoints=Keypoints(points, one, one),
                tracks=Tracks(np.array([5], np.uint32), np.array([step + 1], np.uint32)),
                matches=Matches.empty(),
                inliers=np.zeros(0, bool),
            ),
        )
    assert all(has(picture, TAIL, x, 200.0) for x in (110.0, 150.0, 190.0))
    later = painter.paint(image, kit.result(segment=1))
    assert not has(later, TAIL, 150.0, 200.0)


def test_nothing_found_still_gives_a_picture_with_the_state(empty_result: Any) -> None:
    picture = MatchPainter().paint(np.zeros((480, 640), np.uint8), empty_result)
    assert has(picture[-40:], (230, 60, 60), 60, 20, radius=40)


def test_what_does_not_count_is_darkened(kit: Any) -> None:
    image = np.full((480, 640), 200, np.uint8)
    left_out = np.zeros((24, 32), bool)
    left_out[6:12] = True
    plain = MatchPainter().paint(image, kit.result())
    marked = MatchPainter().paint(image, kit.result(left_out=left_out))
    assert marked[120:240].mean() < 0.7 * plain[120:240].mean()
    assert np.array_equal(marked[:120], plain[:120])
    assert np.array_equal(marked[240:], plain[240:])
