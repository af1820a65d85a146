# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Patch alignment on image pairs with exact correspondences."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from drcn_ros.matching.alignment import align, align_matches
from drcn_ros.matching.patches import ImageFeatures, Patches
from drcn_ros.matching.smoothing import smooth, smooth_by_shifts
from drcn_ros.matching.types import Matches


def _smoothed(image) -> torch.Tensor:
    return smooth(torch.from_numpy(image.astype(np.float32) / 255))


def _features(image, points) -> ImageFeatures:
    height, width = image.shape
    places = torch.from_numpy(points)
    return ImageFeatures((width, height), places, places[:, 0], places[:, 0], None, _smoothed(image))


@pytest.fixture
def points() -> np.ndarray:
    y, x = np.mgrid[60:190:18, 60:270:18]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def test_points_are_found_to_a_tenth_of_a_pixel(plane, points):
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0]
    start = (truth + np.random.default_rng(0).uniform(-1.2, 1.2, truth.shape)).astype(np.float32)
    aligned = align(
        Patches.of(_smoothed(plane.reference), torch.from_numpy(points)),
        _smoothed(plane.current),
        torch.from_numpy(start),
    )
    good = aligned.good.numpy()
    assert good.mean() > 0.9
    errors = np.linalg.norm(aligned.points.numpy() - truth, axis=1)[good]
    assert np.median(errors) < 0.1
    assert np.median(np.linalg.norm(start - truth, axis=1)) > 0.7


def test_another_brightness_and_contrast_change_nothing(plane, points):
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0].astype(np.float32)
    patches = Patches.of(_smoothed(plane.reference), torch.from_numpy(points))
    start, current = torch.from_numpy(truth + 0.5), _smoothed(plane.current)
    plain = align(patches, current, start)
    darker = align(patches, 0.3 * current + 0.1, start)
    assert torch.allclose(plain.points, darker.points, atol=0.02)
    assert torch.equal(plain.good, darker.good)


def test_a_strong_turn_and_scale_that_matches_share_are_where_it_starts(plane, points):
    turn = np.vstack([cv2.getRotationMatrix2D((160, 120), 30, 1.4), [0, 0, 1]])
    current = cv2.warpPerspective(plane.reference, turn, (320, 240), flags=cv2.INTER_CUBIC)
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), turn)[0]
    inside = ((truth > 20) & (truth < [300, 220])).all(axis=1)
    points, truth = points[inside], truth[inside]
    shifted = (truth + np.random.default_rng(0).uniform(-1, 1, truth.shape)).astype(np.float32)
    index = np.arange(len(points))
    matches = Matches(points, shifted, np.ones(len(points), np.float32), index, index)
    refined = align_matches(_features(plane.reference, points), _features(current, points), matches)
    assert len(refined) > 0.9 * len(points)
    errors = np.linalg.norm(refined.current_points - truth[refined.reference_index], axis=1)
    assert np.median(errors) < 0.1
    plain = align(
        Patches.of(_smoothed(plane.reference), torch.from_numpy(points)),
        _smoothed(current),
        torch.from_numpy(shifted),
    )
    without = np.linalg.norm(plain.points.numpy() - truth, axis=1)
    assert np.mean(without < 0.2) < 0.5 < 0.9 < np.mean(errors < 0.2)


def test_a_narrow_patch_stays_with_a_pole_before_a_background_that_moves_otherwise():
    rng = np.random.default_rng(1)
    background, pole = (
        cv2.GaussianBlur(rng.integers(0, 256, (240, 320), np.uint8), (0, 0), 1.5) for _ in range(2)
    )
    images = []
    for shift in (0, 2):
        image = background.copy()
        image[:, 154 + shift : 167 + shift] = pole[:, 154:167]
        images.append(image)
    points = np.stack([np.full(11, 160.0), np.arange(20, 240, 20)], axis=1).astype(np.float32)
    aligned = align(
        Patches.of(_smoothed(images[0]), torch.from_numpy(points)),
        _smoothed(images[1]),
        torch.from_numpy(points + np.float32([1.5, 0.0])),
    )
    truth = points + np.float32([2.0, 0.0])
    wide, narrow = (
        np.linalg.norm(found.numpy() - truth, axis=1) for found in (aligned.points, aligned.narrow)
    )
    assert np.median(narrow) < 0.15
    assert np.median(narrow) < 0.5 * np.median(wide)


def test_what_shows_something_else_is_left_out(plane, points):
    wrong = points[::-1].copy()
    count = len(points)
    matches = Matches(points, wrong, np.ones(count, np.float32), np.arange(count), np.arange(count))
    kept = align_matches(_features(plane.reference, points), _features(plane.current, points), matches)
    assert len(kept) < 0.1 * count


def test_matches_stay_together_and_come_best_first(plane, points):
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0].astype(np.float32)
    count = len(points)
    scores = np.linspace(1, 0.5, count, dtype=np.float32)
    matches = Matches(points, truth, scores, np.arange(count), np.arange(count) + 1000)
    aligned = align_matches(_features(plane.reference, points), _features(plane.current, points), matches)
    assert (np.diff(aligned.scores) <= 0).all()
    assert np.array_equal(aligned.reference_points, points[aligned.reference_index])
    assert np.array_equal(aligned.current_index, aligned.reference_index + 1000)
    assert np.median(plane.errors(aligned.reference_points, aligned.current_points)) < 0.1


def test_a_match_that_the_image_places_less_well_counts_less(plane):
    y, x = np.mgrid[60:190:8, 60:270:7]
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0].astype(np.float32)
    random = np.random.default_rng(0)
    right = points[:, 0] > 160

    def seen(image: np.ndarray) -> np.ndarray:
        """The right half is nearly plain, and the sensor has noise."""
        x = np.arange(image.shape[1])
        contrast = np.where(x > 160, 0.03, 1.0)
        light = 128 + (image.astype(np.float64) - 128) * contrast + random.normal(0, 3, image.shape)
        return np.clip(np.rint(light), 0, 255).astype(np.uint8)

    reference, current = _features(seen(plane.reference), points), _features(seen(plane.current), points)
    aligned = align(reference.patches, current.image, torch.from_numpy(truth))
    off = np.linalg.norm(aligned.points.numpy() - truth, axis=1)
    deviation = aligned.deviation.numpy()
    assert np.median(off[right]) > 3 * np.median(off[~right])
    # Some patches reach over the middle.
    assert np.quantile(deviation[right], 0.1) > 2 * np.quantile(deviation[~right], 0.8)
    index = np.arange(len(points))
    matches = Matches(points, truth, np.full(len(points), 0.5, np.float32), index, index)
    kept = align_matches(reference, current, matches)
    assert len(kept) + len(kept.imprecise) == len(kept.with_imprecise()) > 1.2 * len(kept)
    assert not np.isin(kept.imprecise.reference_index, kept.reference_index).any()
    assert (np.diff(kept.with_imprecise().scores) <= 0).all()
    assert np.isin(kept.imprecise.reference_index, index[right]).mean() > 0.75
    share = np.isin(kept.reference_index, index[~right]).mean()
    assert share > 0.75
    assert share * len(kept) > 0.85 * (~right).sum()
    # Where that leaves few, the plain ones stay.
    some = index[right][:150]
    matches = Matches(points[some], truth[some], np.full(150, 0.5, np.float32), some, some)
    assert len(align_matches(reference, current, matches)) > 0.3 * len(some)


def test_flat_patches_and_points_outside_the_image_raise_nothing():
    flat = _smoothed(np.full((60, 80), 128, np.uint8))
    points = torch.tensor([[40.0, 30.0], [-5.0, 200.0], [79.0, 59.0]])
    aligned = align(Patches.of(flat, points), flat, points)
    assert torch.isfinite(aligned.points).all()
    assert not aligned.good.any()


@pytest.mark.parametrize("size", [(60, 80), (5, 3), (1, 1)])
def test_images_are_smoothed_alike_on_every_device(size):
    image = torch.rand(size, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(smooth(image), smooth_by_shifts(image), atol=1e-6)


def test_no_matches_give_no_matches():
    flat = _features(np.full((60, 80), 128, np.uint8), np.zeros((0, 2), np.float32))
    assert len(align_matches(flat, flat, Matches.empty())) == 0


def test_patches_kept_with_the_keypoints_give_what_new_ones_give(plane, points):
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0].astype(np.float32)
    some = np.arange(len(points))[::-2].copy()
    reference, current = _features(plane.reference, points), _features(plane.current, truth)
    scores = np.linspace(1, 0.5, len(some), dtype=np.float32)
    known = Matches(points[some], truth[some] + 0.5, scores, some, some)
    unknown = Matches(points[some], truth[some] + 0.5, scores, np.full_like(some, -1), some)
    first, second = align_matches(reference, current, known), align_matches(reference, current, unknown)
    assert np.array_equal(first.current_index, second.current_index)
    assert np.allclose(first.current_points, second.current_points, atol=1e-3)
    assert reference.patches is reference.patches


def test_patches_of_a_large_image_are_those_of_any(plane, points):
    image, places = _smoothed(plane.reference), torch.from_numpy(points) + 0.3
    whole, large = (Patches.of(image, places, large=large) for large in (False, True))
    for one, other in ((whole.wide, large.wide), (whole.narrow, large.narrow)):
        assert torch.equal(one.values, other.values)
        assert torch.allclose(one.slopes, other.slopes, atol=1e-5)
        assert torch.allclose(one.translation, other.translation, atol=1e-3 * float(one.translation.max()))
