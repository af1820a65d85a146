# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from drcn_ros.matching import Matcher, MatcherConfig, create_matcher


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return create_matcher(MatcherConfig(name="d2net", device="cpu", max_keypoints=600))


def test_matches_lie_on_the_same_points_of_the_plane(matcher: Matcher, plane) -> None:
    matches = matcher.match(matcher.extract(plane.reference), matcher.extract(plane.current))
    errors = plane.errors(matches.reference_points, matches.current_points)
    assert len(matches) > 100
    assert np.median(errors) < 0.6
    assert (errors < 3).mean() > 0.85


def test_refinement_makes_matches_more_precise(matcher: Matcher, plane) -> None:
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    refined = matcher.match(reference, current)
    config = matcher.config
    matcher.config = replace(config, refine=False)
    coarse = matcher.match(reference, current)
    matcher.config = config
    better = plane.errors(refined.reference_points, refined.current_points)
    worse = plane.errors(coarse.reference_points, coarse.current_points)
    assert np.median(better) < 0.7 * np.median(worse)


def test_the_score_filter_raises_the_share_of_right_matches(matcher: Matcher, plane) -> None:
    reference, current = matcher.extract(plane.reference), matcher.extract(plane.current)
    config = matcher.config
    shares = []
    for score in (0.0, 0.3):
        matcher.config = replace(config, min_score=score)
        matches = matcher.match(reference, current)
        shares.append((plane.errors(matches.reference_points, matches.current_points) < 3).mean())
    matcher.config = config
    assert shares[1] > shares[0]


def test_an_image_without_texture_gives_no_matches(matcher: Matcher, plane) -> None:
    blank = matcher.extract(np.full((240, 320), 90, np.uint8))
    assert len(blank) == 0
    assert len(matcher.match(blank, matcher.extract(plane.current))) == 0


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (31, 40), (97, 33)])
def test_any_size_is_matched_with_itself(matcher: Matcher, size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, size, np.uint8)
    features = matcher.extract(image)
    assert features.size == (size[1], size[0])
    matches = matcher.match(features, features)
    np.testing.assert_allclose(matches.reference_points, matches.current_points, atol=0.05)
