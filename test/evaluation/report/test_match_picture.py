# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matches are drawn where they are, those that agree and those that do not apart by colour."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.evaluation.estimates import Correspondences
from drcn_ros.evaluation.report.match_picture import draw_matches

RED = np.array([235, 60, 60])


def matches(inlier: bool) -> Correspondences:
    reference, current = np.array([[20.0, 30.0]], np.float32), np.array([[25.0, 31.0]], np.float32)
    return Correspondences(reference, current, np.array([inlier]))


def test_both_ends_of_a_match_lie_on_their_points_in_the_same_colour():
    grey = np.full((60, 80), 100, np.uint8)
    picture = draw_matches(grey, grey, matches(True))
    assert picture.shape == (60, 168, 3)
    left, right = picture[30, 20].astype(int), picture[31, 88 + 25].astype(int)
    assert np.array_equal(left, right)
    assert np.abs(left - RED).max() > 50


def test_a_match_that_disagrees_is_red():
    grey = np.full((60, 80), 100, np.uint8)
    assert np.abs(draw_matches(grey, grey, matches(False))[30, 20] - RED).max() <= 1


def test_nothing_that_agrees_is_taken_for_red():
    across = np.stack([np.linspace(2, 318, 40), np.full(40, 30.0)], axis=1).astype(np.float32)
    black = np.zeros((60, 320), np.uint8)
    picture = draw_matches(black, black, Correspondences(across, across, np.ones(40, bool))).astype(int)
    drawn = picture[30][picture[30].max(axis=1) > 150]
    assert len(drawn) > 40
    assert (np.maximum(drawn[:, 1], drawn[:, 2]) >= drawn[:, 0]).all()


def test_a_missing_reference_image_is_black_and_a_caption_has_its_own_place():
    colour = np.full((60, 80, 3), 100, np.uint8)
    none = Correspondences(*np.zeros((2, 0, 2), np.float32), np.zeros(0, bool))
    picture = draw_matches(None, colour, none, "text")
    assert picture.shape[0] > 60
    assert not picture[:60, :80].any()
    assert (picture[:60, 88:] == 100).all()


def test_images_of_different_sizes_stand_side_by_side():
    picture = draw_matches(np.zeros((40, 30), np.uint8), np.zeros((60, 80, 3), np.uint8), matches(True))
    assert picture.shape == (60, 30 + 8 + 80, 3)


def test_the_images_themselves_stay_untouched():
    image = np.full((60, 80, 3), 100, np.uint8)
    draw_matches(image, image, matches(True), "caption")
    assert (image == 100).all()


@pytest.mark.parametrize("count", [1, 500])
def test_every_point_is_drawn_however_many_there_are(count):
    random = np.random.default_rng(0)
    points = random.uniform(5, 95, (count, 2)).astype(np.float32)
    black = np.zeros((100, 100), np.uint8)
    picture = draw_matches(black, black, Correspondences(points, points, np.ones(count, bool)))
    at = picture[np.round(points[:, 1]).astype(int), np.round(points[:, 0]).astype(int)]
    assert (at.max(axis=1) > 60).all()


def test_what_does_not_count_is_marked_in_the_current_image():
    grey = np.full((40, 60), 200, np.uint8)
    left_out = np.array([[False, False], [True, True]])
    empty = np.zeros((0, 2), np.float32)
    plain = draw_matches(grey, grey, Correspondences(empty, empty, np.zeros(0, bool)))
    marked = draw_matches(grey, grey, Correspondences(empty, empty, np.zeros(0, bool), left_out))
    assert np.array_equal(marked[:, :60], plain[:, :60])
    assert np.array_equal(marked[:20], plain[:20])
    assert marked[20:, 68:].mean() < 0.7 * plain[20:, 68:].mean()
