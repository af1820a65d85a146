# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images beyond the limit are matched at a smaller size, and told in their own pixels."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest

from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.factory import create_matcher

NAMES = ["drcn", "d2net", "anchored", "sift", "orb"]


def _matched(matcher, first, second):
    reference, current = matcher.extract(first), matcher.extract(second)
    return reference, matcher.match(reference, current)


def _without_detail(features):
    inner = features.inner
    return replace(features, inner=replace(inner, detail=None)) if hasattr(inner, "detail") else features


@pytest.mark.parametrize("name", NAMES)
def test_images_within_the_limit_give_the_same_to_the_last_bit(plane, name, device):
    found = []
    for size in (0, max(plane.reference.shape)):
        matcher = create_matcher(MatcherConfig(name=name, device=device, max_image_size=size))
        found.append(_matched(matcher, plane.reference, plane.current))
    assert (found[0][0].points == found[1][0].points).all()
    assert (found[0][1].current_points == found[1][1].current_points).all()
    assert (found[0][1].scores == found[1][1].scores).all()


@pytest.mark.parametrize("name", NAMES)
def test_larger_images_are_matched_in_their_own_pixels(plane, name, device):
    height, width = plane.reference.shape[:2]
    large = [
        cv2.resize(image, (3 * width, 4 * height), interpolation=cv2.INTER_CUBIC)
        for image in (plane.reference, plane.current)
    ]
    config = MatcherConfig(name=name, device=device)
    matcher = create_matcher(replace(config, max_image_size=max(height, width)))
    # Refined on the reduced images alone.
    features, current = (_without_detail(matcher.extract(image)) for image in large)
    matches = matcher.match(features, current)
    small = create_matcher(config)
    expected_features, expected = _matched(
        small,
        *(cv2.resize(image, features.inner.size, interpolation=cv2.INTER_AREA) for image in large),
    )
    assert features.size == (3 * width, 4 * height)
    assert len(matches) == len(expected) > 20
    factor = np.array(features.size) / features.inner.size
    assert np.allclose(matches.current_points, (expected.current_points + 0.5) * factor - 0.5, atol=1e-2)
    if expected.imprecise is not None:
        places = (expected.imprecise.current_points + 0.5) * factor - 0.5
        assert np.allclose(matches.imprecise.current_points, places, atol=1e-2)
    points, index = features.keypoints().points, matches.reference_index
    assert np.allclose(points, (expected_features.keypoints().points + 0.5) * factor - 0.5, atol=1e-2)
    assert np.allclose(points[index], matches.reference_points, atol=1e-2)


@pytest.mark.parametrize("size", [320, 0])
@pytest.mark.parametrize("name", NAMES)
def test_any_shape_has_a_result_with_any_other(plane, name, size, device):
    matcher = create_matcher(MatcherConfig(name=name, device=device, max_image_size=size))
    usual = matcher.extract(plane.reference)
    shapes = [(1, 65535), (65535, 1), (4000, 3), (320, 240), (1, 320), (320, 1), (2, 2), (15, 17, 3), (1, 1)]
    for shape in [*shapes, (1500, 2000, 3)] if size else shapes:
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        features = matcher.extract(image)
        assert features.size == (shape[1], shape[0])
        for reference, current in ((features, features), (usual, features), (features, usual)):
            matches = matcher.match(reference, current)
            assert len(matches) <= max(len(reference), len(current))
            for points, of in ((matches.reference_points, reference), (matches.current_points, current)):
                assert np.isfinite(points).all()
                # Refined places may lie in the outermost pixels, of an image that was reduced.
                slack = max(of.size) / size if size else 1.0
                assert (points >= -slack).all()
                assert (points <= np.array(of.size) - 1 + slack).all()


def test_images_of_different_sizes_match_each_other(plane, device):
    height, width = plane.current.shape[:2]
    large = cv2.resize(plane.current, (4 * width, 4 * height), interpolation=cv2.INTER_CUBIC)
    matcher = create_matcher(MatcherConfig(device=device, max_image_size=max(height, width)))
    _, same = _matched(matcher, plane.reference, plane.current)
    _, mixed = _matched(matcher, plane.reference, large)
    assert len(mixed) > 0.8 * len(same)
    assert np.abs(mixed.current_points).max() > 2 * max(height, width)


def test_a_new_configuration_leaves_the_copy_of_before_alone(plane, device):
    matcher = create_matcher(MatcherConfig(device=device, max_image_size=320))
    later = copy(matcher)
    later.config = replace(matcher.config, max_keypoints=50)
    assert len(later.extract(plane.reference)) <= 50 < len(matcher.extract(plane.reference))


def test_points_can_be_given_in_pixels_of_the_large_image(plane, device):
    height, width = plane.reference.shape[:2]
    large = cv2.resize(plane.reference, (4 * width, 4 * height), interpolation=cv2.INTER_CUBIC)
    matcher = create_matcher(MatcherConfig(name="anchored", device=device, max_image_size=width))
    features = matcher.extract(large)
    asked = features.keypoints().points[:30]
    queries = matcher.with_queries(features, asked, np.ones(30, np.float32))
    assert np.allclose(queries.keypoints().points[:30], asked, atol=1e-2)
    assert queries.size == features.size


def test_keypoints_move_in_pixels_of_the_large_image(plane, device):
    height, width = plane.reference.shape[:2]
    large = cv2.resize(plane.reference, (4 * width, 4 * height), interpolation=cv2.INTER_CUBIC)
    matcher = create_matcher(MatcherConfig(device=device, max_image_size=width))
    features = matcher.extract(large)
    # Of the image that is refined on.
    assert features.pixel == 2.0
    points = features.keypoints().points
    rows = np.arange(0, len(points), 2)
    moved = features.moved(rows, points[rows] + np.float32([3.0, -2.0]))
    change = moved.keypoints().points - points
    assert np.allclose(change[rows], [3.0, -2.0], atol=1e-2)
    assert np.allclose(change[1::2], 0.0, atol=1e-3)
    # Matched with itself as it was, each point is found where it has moved to.
    matches = matcher.match(moved, features)
    found = matches.current_points - moved.keypoints().points[matches.reference_index]
    assert np.median(np.hypot(*found.T)) < 0.4
