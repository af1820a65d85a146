# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is remembered of points that do not follow the camera's motion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from drcn_ros.benchmarks.point_pairs import CAMERA, Disturbance, PointPair, point_pair
from drcn_ros.geometry.config import TwoViewConfig
from drcn_ros.geometry.two_view import TwoView, estimate_two_view
from drcn_ros.matching.types import Features, Matches
from drcn_ros.odometry.outlier_history import earlier_outliers, remember_outliers
from drcn_ros.odometry.view import View


def view_of(points: np.ndarray) -> View:
    count = torch.zeros(len(points))
    features = Features((640, 480), torch.tensor(points), count, count, None)
    return View(0, features, points.astype(np.float32), np.eye(4))


def matches_of(pair: PointPair) -> Matches:
    rows = np.arange(len(pair.scores))
    reference, current = (
        points.astype(np.float32) for points in (pair.reference_points, pair.current_points)
    )
    return Matches(reference, current, pair.scores.astype(np.float32), rows, rows)


@pytest.fixture(scope="module")
def pair() -> PointPair:
    return point_pair("sideways", 3, 600, Disturbance(noise_px=0.2, outliers=0.0, moving=0.3))


@pytest.fixture(scope="module")
def two_view(pair: PointPair) -> TwoView:
    return estimate_two_view(pair.reference_points, pair.current_points, CAMERA, TwoViewConfig())


def test_points_that_move_by_themselves_are_left_out_from_then_on(pair, two_view):
    reference, current = view_of(pair.reference_points), view_of(pair.current_points)
    matches = matches_of(pair)
    assert not earlier_outliers(reference, matches).any()
    remember_outliers(reference, current, two_view, matches, 0.2)
    left_out = earlier_outliers(reference, matches)
    assert left_out[~pair.correct].mean() > 0.9
    assert left_out[pair.correct].mean() < 0.05
    # The current view, a later reference, knows it as well.
    assert np.array_equal(earlier_outliers(current, matches), left_out)


def test_agreement_over_a_shorter_baseline_clears_no_outlier(pair, two_view):
    reference, current = view_of(pair.reference_points), view_of(pair.current_points)
    matches = matches_of(pair)
    parallax = two_view.parallax_px
    assert parallax is not None
    for before, left in ((2.0 * parallax, True), (0.5 * parallax, False)):
        reference.outlier_parallax[:] = np.where(np.arange(600) < 60, before, 0.0)
        remember_outliers(reference, current, two_view, matches, 0.2)
        agreeing = pair.correct[:60]
        assert (earlier_outliers(reference, matches)[:60][agreeing].mean() > 0.9) == left


def test_what_covers_most_of_the_image_is_not_left_out(pair):
    reference = view_of(pair.reference_points)
    matches = matches_of(pair)
    reference.outlier_parallax[:] = np.where(reference.points[:, 0] > 200.0, 5.0, 0.0)
    assert not earlier_outliers(reference, matches).any()
    reference.outlier_parallax[:] = np.where(reference.points[:, 0] > 400.0, 5.0, 0.0)
    assert earlier_outliers(reference, matches).any()


def test_without_a_pose_outliers_are_only_handed_on(pair, two_view):
    reference, current = view_of(pair.reference_points), view_of(pair.current_points)
    reference.outlier_parallax[:200] = 3.0
    before = reference.outlier_parallax.copy()
    remember_outliers(reference, current, replace(two_view, pose=None), matches_of(pair), 0.2)
    assert np.array_equal(reference.outlier_parallax, before, equal_nan=True)
    assert np.array_equal(current.outlier_parallax, before, equal_nan=True)


def test_matches_without_a_keypoint_are_never_left_out(pair):
    reference = view_of(pair.reference_points)
    reference.outlier_parallax[:] = np.where(np.arange(600) < 100, 1.0, 0.0)
    matches = replace(matches_of(pair), reference_index=np.full(600, -1))
    assert not earlier_outliers(reference, matches).any()
