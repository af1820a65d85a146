# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matches of images that were reduced are refined once more on larger ones."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from drcn_ros.benchmarks.gpu.pretended_device import PRETENDED, pretended_device
from drcn_ros.matching import d2net, drcn_base
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.detail import LARGEST_RATIO
from drcn_ros.matching.factory import create_matcher
from drcn_ros.matching.search import find_points

NAMES = ["drcn", "d2net", "anchored"]
# Of the images as received; they are matched at half of it.
SIZE = (640, 480)


@pytest.fixture(scope="module")
def views():
    """Two views of a plane that show something in every pixel, and the homography between them."""
    random = np.random.default_rng(3)
    width, height = SIZE
    texture = np.zeros((height + 200, width + 200), np.float32)
    for cells in (8, 25, 75, 200, 420):
        noise = random.random((cells, cells), np.float32)
        texture += cv2.resize(noise, texture.shape[::-1], interpolation=cv2.INTER_CUBIC)
    canvas = cv2.normalize(texture, None, 20, 235, cv2.NORM_MINMAX)
    crop = np.array([[1.0, 0, 100], [0, 1, 100], [0, 0, 1]])
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), 4, 1.03), [0, 0, 1]])
    turn[:2, 2] += 9.4, -6.7
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    images = [canvas[100 : 100 + height, 100 : 100 + width]]
    images.append(cv2.warpPerspective(canvas, crop @ np.linalg.inv(turn), SIZE, flags=flags))
    noisy = [image + random.normal(0, 2, image.shape) for image in images]
    return [np.clip(np.rint(image), 0, 255).astype(np.uint8) for image in noisy], turn


def _config(name: str, device: str = "cpu") -> MatcherConfig:
    return MatcherConfig(name=name, device=device, precision="float32", max_image_size=SIZE[0] // 2)


def _without(features):
    return replace(features, inner=replace(features.inner, detail=None))


def _median_error(homography, reference_points, points):
    return np.median(np.hypot(*(_mapped(homography, reference_points) - points).T))


def _mapped(homography, points):
    return cv2.perspectiveTransform(points[None].astype(np.float64), homography)[0]


@pytest.mark.parametrize("name", NAMES)
def test_places_are_closer_with_the_larger_images(views, name, device):
    images, homography = views
    matcher = create_matcher(_config(name, device))
    reference, current = (matcher.extract(image) for image in images)
    found = matcher.match(reference, current)
    before = matcher.match(_without(reference), current)
    # The same matches in the same order; those whose places are not certain stay where they were.
    assert np.array_equal(found.reference_points, before.reference_points)
    assert np.array_equal(found.scores, before.scores)
    assert len(found) > 100
    for place in ("current_points", "narrow_points"):
        error, error_before = (
            _median_error(homography, one.reference_points, getattr(one, place)) for one in (found, before)
        )
        assert error < 0.9 * error_before
    assert (np.abs(found.current_points - before.current_points) <= 1.0 + 1e-3).all()
    assert reference.pixel == 1.0
    assert _without(reference).pixel == 2.0


def test_points_that_are_looked_for_are_closer_too(views, device):
    images, homography = views
    matcher = create_matcher(_config("drcn", device))
    reference, current = (matcher.extract(image) for image in images)
    rows = np.arange(min(len(reference), 300))
    points = reference.keypoints().points[rows]
    expected = (_mapped(homography, points) + 0.8).astype(np.float32)
    warps = np.tile(homography[:2, :2], (len(rows), 1, 1)).astype(np.float32)
    errors = []
    for host in (reference, _without(reference)):
        found = find_points([(host, rows[:40]), (host, rows[40:])], current, expected, warps)
        sure = found.correlation > 0.9
        assert sure.sum() > 100
        errors.append(_median_error(homography, points[sure], found.points[sure]))
    assert errors[0] < 0.9 * errors[1]


def test_a_point_that_has_moved_keeps_its_larger_image(views, device):
    images, homography = views
    matcher = create_matcher(_config("drcn", device))
    reference, current = (matcher.extract(image) for image in images)
    rows = np.arange(0, len(reference), 2)
    places = reference.keypoints().points[rows] + np.float32([1.6, -1.2])
    moved = reference.moved(rows, places)
    warps = np.tile(homography[:2, :2], (len(rows), 1, 1)).astype(np.float32)
    found = find_points([(moved, rows)], current, _mapped(homography, places).astype(np.float32), warps)
    sure = found.correlation > 0.9
    assert _median_error(homography, places[sure], found.points[sure]) < 0.15


def test_what_is_kept_of_a_large_image_is_bounded(device):
    matcher = create_matcher(MatcherConfig(device=device, max_image_size=64))
    for shape in [(480, 640), (2000, 3000, 3), (65535, 1), (1, 4000), (3000, 5)]:
        inner = matcher.extract(np.zeros(shape, np.uint8)).inner
        limit = [
            min(LARGEST_RATIO * reduced, full) for reduced, full in zip(inner.size, shape[1::-1], strict=True)
        ]
        assert list(inner.detail.shape[::-1]) == limit
    # Where it is hardly larger than what was matched nothing is kept.
    assert matcher.extract(np.zeros((60, 78), np.uint8)).inner.detail is None
    unrefined = create_matcher(MatcherConfig(device=device, max_image_size=64, refine=False))
    assert unrefined.extract(np.zeros((480, 640), np.uint8)).inner.detail is None


@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_is_waited_for_once(views, monkeypatch, name):
    images, homography = views
    config = replace(_config(name), compile="off")
    matcher = create_matcher(config)
    expected = matcher.match(*(matcher.extract(image) for image in images))
    for module in (drcn_base, d2net):
        monkeypatch.setattr(module, "choose_device", lambda name: PRETENDED)
    with pretended_device() as waits:
        matcher = create_matcher(config)
        matcher.match(*(matcher.extract(image) for image in images))
        waits.places.clear()
        features = [matcher.extract(image) for image in images]
        assert not waits.places
        found = matcher.match(*features)
        assert sum(waits.places.values()) == 1, waits.places
    errors = [
        _median_error(homography, one.reference_points, one.current_points) for one in (found, expected)
    ]
    assert errors[0] < 1.1 * errors[1] + 0.01
