# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hard views differ as their names say, and are the same in every run."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix, rotation_vector
from drcn_ros.scenes import conditions
from drcn_ros.scenes.conditions import Seen
from drcn_ros.scenes.hard_views import HardViews

SMALL = Camera(64, 48, 50.0, 50.0, 31.5, 23.5)


def seen(distance: float = 2.0) -> Seen:
    """A wall, and beside it nothing, before a camera at the origin; brighter to the right and below."""
    x, y = np.meshgrid(np.arange(64.0), np.arange(48.0))
    light = np.repeat((40 + 2 * x + y)[..., None], 3, axis=2).astype(np.float32)
    points = np.dstack([(x - 31.5) / 50, (y - 23.5) / 50, np.ones_like(x)]) * distance
    points[:, :4] = np.inf
    return Seen(light, points, SMALL, np.eye(4))


def test_unknown_views_list_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'fog' are unknown, choose one of around, rolled"):
        HardViews("fog")


@pytest.mark.parametrize(("name", "axis"), [("around", 1), ("rolled", 2)])
def test_the_second_view_is_turned_as_told(name: str, axis: int) -> None:
    for first, second in HardViews(name, 2).poses:
        turn = np.degrees(np.abs(rotation_vector(first[:3, :3].T @ second[:3, :3])))
        assert 30 < turn[axis] < 65
        assert turn[axis] == turn.max()


def test_the_second_view_is_at_half_the_distance_and_pairs_follow_from_their_number() -> None:
    views = HardViews("nearer", 2)
    np.testing.assert_array_equal(views.poses[:1], HardViews("nearer", 1).poses)
    motion = np.linalg.inv(views.poses[0, 0]) @ views.poses[0, 1]
    assert motion[2, 3] > 5 * np.abs(motion[:2, 3]).max()
    image = views.image(0, 1)
    np.testing.assert_array_equal(image, views.image(0, 1))
    assert image.shape == (360, 480, 3)
    assert image.std() > 20


def test_a_lamp_moves_from_view_to_view() -> None:
    view = seen()
    first, second = (conditions.relit(view, np.random.default_rng(seed)) / view.light for seed in (0, 1))
    assert np.isfinite(first).all()
    ratio = (first / second)[:, 4:]
    assert ratio.max() > 1.3 * ratio.min()


def test_at_night_what_is_far_or_aside_is_dark() -> None:
    near, far = (conditions.by_lamp(seen(metres), np.random.default_rng(0)) for metres in (1.0, 6.0))
    middle = slice(20, 28), slice(28, 36)
    assert near[middle].mean() > 4 * far[middle].mean()
    assert np.isfinite(near).all()
    share = near / seen().light
    assert share[middle].mean() > 1.2 * share[:, -4:].mean()


def test_rain_falls_elsewhere_in_each_image_and_hides_little() -> None:
    view = seen()
    first, second = (conditions.through_rain(view, np.random.default_rng(seed)) for seed in (0, 1))
    changed = np.abs(first - view.light).max(axis=2) > 5
    assert 0.02 < changed.mean() < 0.6
    assert (changed != (np.abs(second - view.light).max(axis=2) > 5)).any()


def test_rows_are_read_in_turn_and_the_middle_one_at_the_pose() -> None:
    view = seen()
    read = conditions.by_rows(view, np.random.default_rng(3))[..., 0]
    turn = np.random.default_rng(3).normal(0, 1, 3)
    turn *= 0.035 / np.linalg.norm(turn)
    for row in (6, 24, 42):
        ray = rotation_matrix((row / 47 - 0.5) * turn) @ [(32 - 31.5) / 50, (row - 23.5) / 50, 1.0]
        x, y = 50 * ray[:2] / ray[2] + [31.5, 23.5]
        assert read[row, 32] == pytest.approx(40 + 2 * x + y, abs=0.2)
    assert abs(read[42, 32] - view.light[42, 32, 0]) > 0.5
