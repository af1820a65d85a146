# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The rendered street: its truth agrees with its images, and it moves as a road does."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drcn_ros.scenes.scenarios import scenario
from drcn_ros.scenes.sequence import RenderedSequence
from drcn_ros.scenes.streets import street

FRAMES = 400


@lru_cache(maxsize=1)
def made() -> RenderedSequence:
    return scenario("street", FRAMES)


@lru_cache(maxsize=16)
def depth(index: int) -> np.ndarray:
    return made().depth(index)


def projected(first: int, second: int, pose: np.ndarray) -> tuple[np.ndarray, ...]:
    """Points of one frame in another whose camera is at `pose`: rows, columns there, and their depth."""
    camera, near = made().camera, depth(first)
    rows, columns = np.nonzero(np.isfinite(near))
    rays = np.ones((len(rows), 3))
    rays[:, :2] = camera.normalise(np.stack([columns, rows], axis=1).astype(float))
    start = made().poses[first]
    world = (rays * near[rows, columns, None]) @ start[:3, :3].T + start[:3, 3]
    inside = (world - pose[:3, 3]) @ pose[:3, :3]
    ahead = inside[:, 2] > 0.5
    pixels = inside[ahead, :2] / inside[ahead, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    column, row = np.rint(pixels).astype(int).T
    seen = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    there = depth(second)[row[seen], column[seen]]
    return inside[ahead, 2][seen], there, rows[ahead][seen], columns[ahead][seen], row[seen], column[seen]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, FRAMES - 4), st.integers(1, 3))
def test_points_of_one_frame_lie_where_the_truth_says_in_another(first: int, step: int):
    second = first + step
    expected, there, *_ = projected(first, second, made().poses[second])
    wrong = np.abs(there / expected - 1)
    assert len(expected) > 10_000
    # What is hidden from one of both, what drives, and steps of depth at edges are the rest.
    assert np.mean(wrong < 0.03) > 0.7
    assert np.median(wrong) < 0.01
    moved = made().poses[second].copy()
    moved[:3, 3] += moved[:3, 2]
    there_wrong = projected(first, second, moved)
    # The road is as far below a camera that is a metre ahead: depths tell it by what stands beside the road.
    assert np.mean(np.abs(there_wrong[1] / there_wrong[0] - 1) > 0.01) > 1.5 * np.mean(wrong > 0.01)


@pytest.mark.parametrize("first", [20, 150])
def test_the_colours_of_a_point_stay(first: int):
    expected, there, row, column, row2, column2 = projected(first, first + 1, made().poses[first + 1])
    one, two = (made().image(index).astype(float).mean(axis=2) for index in (first, first + 1))
    same = np.abs(there / expected - 1) < 0.01
    here, next_one = one[row[same], column[same]], two[row2[same], column2[same]]
    assert np.corrcoef(here, next_one)[0, 1] > 0.85


def test_the_camera_drives_as_on_a_road():
    poses = scenario("street", 830).poses
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    assert 0.5 < steps.min() < 0.7 < 1.3 < steps.max() < 1.5
    assert steps[:330].sum() > 290
    yaw = np.unwrap(np.arctan2(poses[:, 1, 2], poses[:, 0, 2]))
    turned = np.degrees(yaw[20:] - yaw[:-20])
    # Sharp bends to both sides, and long stretches without one.
    assert (turned.max(), turned.min()) == (pytest.approx(85, abs=10), pytest.approx(-85, abs=10))
    assert np.mean(np.abs(turned) < 2) > 0.4


def test_above_the_houses_there_is_only_sky_infinitely_far():
    far = np.isinf(depth(30))
    image = made().image(30)
    assert 0.03 < far.mean() < 0.3
    # The horizon is at row 60, and the camera pitches by a fraction of a degree.
    assert not far[63:].any()
    assert image[far].mean() > 170


def test_every_car_of_the_traffic_drives_and_leaves_the_world_as_it_is():
    assert sorted({part.part for part in street()}) == list(range(11))
    renderer = made()._lens
    pose = made().poses[40]
    times = 4.0, 4.6
    before, after = (renderer.depth(pose, made()._moved(time)) for time in times)
    changed = np.abs(1 / before - 1 / after) > 0.002
    assert 0.002 < changed.mean() < 0.3
    ways = [np.linalg.norm(step) for step in (made()._moved(4.6) - made()._moved(4.0))[:, :3, 3]]
    assert min(ways) > 0.6 * 4.0


def test_the_street_is_the_same_every_time_it_is_made():
    street.cache_clear()
    again = scenario("street", FRAMES)
    assert again.image(100).tobytes() == made().image(100).tobytes()


def test_the_large_camera_sees_the_same():
    large = scenario("street_large", 3).image(2)
    assert large.shape == (376, 1241, 3)
    small = made().image(2).astype(float)
    assert abs(large.mean() - small.mean()) < 4
