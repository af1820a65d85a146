# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Each failure of two views is told in words that fit it."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.ray_pairs import ray_pairs
from drcn_ros.geometry.two_view import Failure, TwoView
from drcn_ros.matching.types import Matches
from drcn_ros.odometry import Reason, State
from drcn_ros.odometry.outcome import Attempt, judge
from drcn_ros.odometry.view import View

COUNT = 30


@pytest.fixture
def failed(point_world, straight_poses):
    """Makes an attempt whose matches, five of them without a ray, have come to a failure."""
    world = point_world(straight_poses(1, (0.0, 0.0, 0.0)))
    features = world.extract(world.frame(0).image)

    def make(failure: Failure) -> Attempt:
        points = features.points.numpy()[:COUNT]
        rows = np.arange(COUNT)
        matches = Matches(points, points, np.ones(COUNT, np.float32), rows, rows)
        seen = np.where(rows[:, None] < 5, np.nan, points.astype(np.float64))
        pairs, rows = ray_pairs(seen, seen, Camera(640, 480, 500.0, 500.0, 319.5, 239.5))
        inliers = np.zeros(COUNT, bool)
        two_view = TwoView(None, None, None, None, failure, False, inliers, None, None, pairs, rows)
        return Attempt(View(0, features, features.points.numpy(), np.eye(4)), matches, two_view)

    return make


@pytest.mark.parametrize(
    ("failure", "reason", "problem"),
    [
        (Failure.FEW_MATCHES, Reason.FEW_MATCHES, "need 40 that agree"),
        (Failure.FEW_INLIERS, Reason.FEW_INLIERS, "need 40 that agree"),
        (Failure.DEGENERATE, Reason.DEGENERATE, "the matches do not determine a motion"),
        (
            Failure.PLANAR,
            Reason.PLANAR_AMBIGUITY,
            "all points lie on a plane and two motions explain them",
        ),
    ],
)
def test_a_failure_says_what_was_missing(failed, failure, reason, problem):
    outcome = judge(failed(failure), 40)
    assert (outcome.state, outcome.reason) == (State.LOST, reason)
    assert outcome.detail == f"30 matches, 5 outside the lens model, {problem}"
