# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The landmarks that the odometry tells lie where the world's points are, as well as they say."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.odometry.map_points import MapPoints


@pytest.fixture
def run(point_world, straight_poses):
    """Frames through a world of points: the world, its odometry after them, and the last result."""

    def make(settings=None, frames=20, **world):
        poses = straight_poses(frames, (0.15, 0.0, 0.05), -0.01)
        made = point_world(poses, count=1200, **world)
        odometry = made.odometry(settings)
        results = [odometry.process(made.frame(index)) for index in range(frames)]
        return made, odometry, results

    return make


def off(world, points: np.ndarray, results) -> tuple[np.ndarray, float]:
    """Vectors from the nearest of the world's points, in the world's unit, and that unit."""
    scale = np.linalg.norm(world.truth(0, len(results) - 1)[:3, 3]) / np.linalg.norm(results[-1].pose[:3, 3])
    truth = (world._points - world.poses[0][:3, 3]) @ world.poses[0][:3, :3]
    apart = scale * points[:, None] - truth[None]
    nearest = np.linalg.norm(apart, axis=2).argmin(axis=1)
    return apart[np.arange(len(points)), nearest], scale


def test_landmarks_are_where_the_points_are(run):
    world, odometry, results = run(noise_px=0.3)
    found = odometry.landmarks()
    assert found is not None
    assert len(found) > 250
    errors, scale = off(world, found.points, results)
    distance = np.linalg.norm(errors, axis=1)
    deviation = scale * np.sqrt(found.variance)
    assert np.median(distance / np.linalg.norm(scale * found.points, axis=1)) < 0.02
    # Two thirds within one deviation, if nearly all of the error lies along the ray.
    assert 0.4 < np.mean(distance < 1.2 * deviation) < 0.98
    assert found.observations.min() >= 2
    assert found.observations.max() > 3


def test_ids_are_those_of_the_tracks_and_differ(run):
    _, odometry, results = run()
    found = odometry.landmarks()
    assert found.ids.dtype == np.uint32
    assert len(np.unique(found.ids)) == len(found)
    assert np.isin(results[-1].tracks.ids, found.ids).mean() > 0.4


def test_landmarks_follow_the_unit_of_the_path(run):
    plain, scaled = (
        run({"scale.source": source, "scale.constant": 3.0}) for source in ("relative", "constant")
    )
    ones, threes = (entry[1].landmarks() for entry in (plain, scaled))
    assert np.array_equal(ones.ids, threes.ids)
    assert threes.points == pytest.approx(3.0 * ones.points, rel=1e-6)
    assert threes.variance == pytest.approx(9.0 * ones.variance, rel=1e-6)


@pytest.mark.parametrize("settings", [{"reference": "keyframe"}, {"scale.source": "none"}])
def test_without_a_map_there_are_none(run, settings):
    assert run(settings, frames=3)[1].landmarks() is None


def test_before_the_second_keyframe_there_are_none(run):
    assert len(run(frames=1)[1].landmarks()) == 0


def test_points_at_infinity_are_left_out(run):
    _, odometry, _ = run(depth=(5000.0, 90000.0))
    found = odometry.landmarks()
    assert len(found) < 40
    assert np.isfinite(found.points).all()


def test_points_move_with_their_variance():
    made = MapPoints(np.array([[1.0, 0.0, 2.0]]), np.array([0.5]), *np.ones((2, 1), np.uint32))
    pose = np.eye(4)
    pose[:3, 3] = [0.0, 1.0, 0.0]
    moved = made.moved(pose, 2.0)
    assert moved.points.tolist() == [[2.0, 1.0, 4.0]]
    assert moved.variance.tolist() == [2.0]
