# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Patch alignment on image pairs with exact correspondences."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from drcn_ros.matching.alignment import align, align_matches, smooth
from drcn_ros.matching.types import Matches


def _smoothed(image) -> torch.Tensor:
    return smooth(torch.from_numpy(image.astype(np.float32) / 255))


@pytest.fixture
def points() -> np.ndarray:
    y, x = np.mgrid[60:190:18, 60:270:18]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def test_points_are_found_to_a_tenth_of_a_pixel(plane, points):
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0]
    start = (truth + np.random.default_rng(0).uniform(-1.2, 1.2, truth.shape)).astype(np.float32)
    aligned = align(
        _smoothed(plane.reference),
        _smoothed(plane.current),
        torch.from_numpy(points),
        torch.from_numpy(start),
    )
    good = aligned.good.numpy()
    assert good.mean() > 0.9
    errors = np.linalg.norm(aligned.points.numpy() - truth, axis=1)[good]
    assert np.median(errors) < 0.1
    assert np.median(np.linalg.norm(start - truth, axis=1)) > 0.7


def test_another_brightness_and_contrast_change_nothing(plane, points):
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0].astype(np.float32)
    arguments = torch.from_numpy(points), torch.from_numpy(truth + 0.5)
    reference, current = _smoothed(plane.reference), _smoothed(plane.current)
    plain = align(reference, current, *arguments)
    darker = align(reference, 0.3 * current + 0.1, *arguments)
    assert torch.allclose(plain.points, darker.points, atol=0.02)
    assert torch.equal(plain.good, darker.good)


def test_what_shows_something_else_is_left_out(plane, points):
    wrong = points[::-1].copy()
    count = len(points)
    matches = Matches(points, wrong, np.ones(count, np.float32), np.arange(count), np.arange(count))
    kept = align_matches(_smoothed(plane.reference), _smoothed(plane.current), matches)
    assert len(kept) < 0.1 * count


def test_matches_stay_together_and_come_best_first(plane, points):
    truth = cv2.perspectiveTransform(points[None].astype(np.float64), plane.homography)[0].astype(np.float32)
    count = len(points)
    scores = np.linspace(1, 0.5, count, dtype=np.float32)
    matches = Matches(points, truth, scores, np.arange(count), np.arange(count) + 1000)
    aligned = align_matches(_smoothed(plane.reference), _smoothed(plane.current), matches)
    assert (np.diff(aligned.scores) <= 0).all()
    assert np.array_equal(aligned.reference_points, points[aligned.reference_index])
    assert np.array_equal(aligned.current_index, aligned.reference_index + 1000)
    assert np.median(plane.errors(aligned.reference_points, aligned.current_points)) < 0.1


def test_flat_patches_and_points_outside_the_image_raise_nothing():
    flat = _smoothed(np.full((60, 80), 128, np.uint8))
    points = torch.tensor([[40.0, 30.0], [-5.0, 200.0], [79.0, 59.0]])
    aligned = align(flat, flat, points, points)
    assert torch.isfinite(aligned.points).all()
    assert not aligned.good.any()


def test_no_matches_give_no_matches():
    flat = _smoothed(np.full((60, 80), 128, np.uint8))
    assert len(align_matches(flat, flat, Matches.empty())) == 0
