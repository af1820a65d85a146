# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Known points are found again near where they are expected, in images as received and in reduced ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drcn_ros.matching import create_matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.search import find_points


def _project(plane, points):
    return cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0]


@pytest.fixture(params=[1.0, 0.75], ids=["as received", "reduced"])
def views(request, plane):
    """Features of two views of a plane, one more matcher's without images, and where keypoints lie."""
    size = int(request.param * max(plane.reference.shape[:2]))
    matcher = create_matcher(MatcherConfig(name="d2net", max_image_size=size))
    features = [matcher.extract(image) for image in (plane.reference, plane.current)]
    points = features[0].keypoints().points
    truth = _project(plane, points).astype(np.float32)
    height, width = plane.current.shape[:2]
    inside = ((truth > 20) & (truth < np.array([width, height]) - 21)).all(axis=1)
    rows = np.flatnonzero(inside)
    # The change of the surroundings, by differences.
    warps = np.stack(
        [
            _project(plane, points[rows] + step) - _project(plane, points[rows] - step)
            for step in 0.5 * np.eye(2)
        ],
        axis=2,
    )
    return features, rows, truth[rows], warps.astype(np.float32)


def test_points_are_found_within_a_few_pixels_of_where_they_are_expected(views):
    (reference, current), rows, truth, warps = views
    rng = np.random.default_rng(3)
    expected = truth + rng.uniform(-1.5, 1.5, truth.shape).astype(np.float32)
    half = len(rows) // 2
    found = find_points([(reference, rows[:half]), (reference, rows[half:])], current, expected, warps)
    assert found is not None
    sure = found.correlation > 0.9
    off = np.linalg.norm(found.points - truth, axis=1)
    assert sure.mean() > 0.5
    assert np.median(off[sure]) < 0.25 < np.median(np.linalg.norm(expected - truth, axis=1))


def test_what_lies_elsewhere_is_not_found(views):
    (reference, current), rows, truth, warps = views
    found = find_points([(reference, rows)], current, truth[::-1].copy(), warps)
    assert found is not None
    assert (found.correlation > 0.9).mean() < 0.05


def test_without_images_nothing_is_looked_for(views, plane):
    (reference, current), rows, truth, warps = views
    sift = create_matcher(MatcherConfig(name="sift"))
    features = sift.extract(plane.reference)
    assert find_points([(features, rows[:1])], current, truth[:1], warps[:1]) is None
    assert find_points([(reference, rows[:1])], features, truth[:1], warps[:1]) is None
    assert find_points([(reference, rows[:0])], current, truth[:0], warps[:0]) is None


def test_what_is_kept_for_the_search_finds_the_same(views):
    (reference, current), rows, truth, warps = views
    kept = reference.for_search()
    assert reference.matchable
    assert not kept.matchable
    assert kept.pixel == reference.pixel
    assert kept.for_search().pixel == reference.pixel
    assert np.array_equal(kept.keypoints().points, reference.keypoints().points)
    wanted, found = (find_points([(host, rows)], current, truth, warps) for host in (reference, kept))
    assert np.array_equal(found.points, wanted.points)
    assert np.array_equal(found.correlation, wanted.correlation)
