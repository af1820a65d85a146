# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from drcn_ros.errors import ImageError
from drcn_ros.matching import MatcherConfig, create_matcher


@pytest.mark.parametrize(("name", "limit"), [("sift", 0.5), ("orb", 1.0)])
def test_matches_lie_on_the_same_points_of_the_plane(plane, name: str, limit: float) -> None:
    matcher = create_matcher(MatcherConfig(name=name, max_keypoints=800))
    matches = matcher.match(matcher.extract(plane.reference), matcher.extract(plane.current))
    errors = plane.errors(matches.reference_points, matches.current_points)
    assert len(matches) > 100
    assert np.median(errors) < limit
    assert (errors < 3).mean() > 0.9


@pytest.mark.parametrize("name", ["sift", "orb"])
def test_scores_are_sorted_and_name_their_keypoints(plane, name: str) -> None:
    matcher = create_matcher(MatcherConfig(name=name, max_keypoints=300))
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    matches = matcher.match(reference, current)
    assert (np.diff(matches.scores) <= 0).all()
    assert matches.scores.min() >= 0
    assert matches.scores.max() <= 1
    np.testing.assert_array_equal(
        reference.keypoints().points[matches.reference_index], matches.reference_points
    )
    np.testing.assert_array_equal(current.keypoints().points[matches.current_index], matches.current_points)


@pytest.mark.parametrize("name", ["sift", "orb"])
def test_the_count_of_keypoints_is_bounded(plane, name: str) -> None:
    matcher = create_matcher(MatcherConfig(name=name, max_keypoints=50))
    assert len(matcher.extract(plane.reference)) == 50


@pytest.mark.parametrize("name", ["sift", "orb"])
def test_an_image_without_texture_gives_no_matches(plane, name: str) -> None:
    matcher = create_matcher(MatcherConfig(name=name))
    blank = matcher.extract(np.full((240, 320), 128, np.uint8))
    assert len(blank) == 0
    assert len(matcher.match(blank, matcher.extract(plane.current))) == 0
    assert len(matcher.match(matcher.extract(plane.current), blank)) == 0


@pytest.mark.parametrize("name", ["sift", "orb"])
def test_colour_is_taken_as_rgb(plane, name: str) -> None:
    matcher = create_matcher(MatcherConfig(name=name))
    colour = np.repeat(plane.reference[:, :, None], 3, axis=2)
    grey, same = matcher.extract(plane.reference), matcher.extract(colour)
    np.testing.assert_allclose(grey.keypoints().points, same.keypoints().points, atol=1e-3)


@pytest.mark.parametrize(
    "image", [np.zeros((0, 4), np.uint8), np.zeros((9, 9)), np.zeros((9, 9, 4), np.uint8)]
)
def test_another_array_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="need uint8"):
        create_matcher(MatcherConfig(name="orb")).extract(image)


def test_sift_points_are_centred_on_what_they_describe() -> None:
    y, x = np.mgrid[0:120, 0:130]
    blob = (40 + 180 * np.exp(-((x - 60.5) ** 2 + (y - 50.25) ** 2) / 32)).astype(np.uint8)
    points = create_matcher(MatcherConfig(name="sift")).extract(cv2.GaussianBlur(blob, (0, 0), 1)).points
    np.testing.assert_allclose(points[0], (60.5, 50.25), atol=0.1)
