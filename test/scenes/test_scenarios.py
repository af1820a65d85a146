# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Each named scenario moves as its name says."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.scenes import paths
from drcn_ros.scenes.rooms import corridor
from drcn_ros.scenes.scenarios import scenario
from drcn_ros.scenes.sequence import RenderedSequence, Sensor

SMALL = Camera(160, 120, 115.0, 115.0, 79.5, 59.5)


def steps(name: str, frames: int = 60) -> np.ndarray:
    positions = scenario(name, frames, camera=SMALL).poses[:, :3, 3]
    return np.linalg.norm(np.diff(positions, axis=0), axis=1)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"'spiral' is unknown, choose one of demo, forward"):
        scenario("spiral")


def test_the_demo_goes_forward_turns_and_stops():
    demo = scenario("demo", camera=SMALL)
    moved = np.linalg.norm(np.diff(demo.poses[:, :3, 3], axis=0), axis=1)
    yaw = np.unwrap(np.arctan2(demo.poses[:, 1, 2], demo.poses[:, 0, 2]))
    assert len(demo) == 120
    assert (moved == 0).sum() >= 12
    assert moved.sum() > 3.0
    assert np.ptp(yaw) > np.radians(35)


@pytest.mark.parametrize("name", ["standing", "rotation"])
def test_nothing_translates_where_it_must_not(name):
    assert steps(name).max() == 0.0


@pytest.mark.parametrize("name", ["forward", "orbit", "wall", "corridor", "bare", "exposure", "blur"])
def test_the_camera_moves_all_the_time(name):
    assert steps(name).min() > 0.004


def test_a_hovering_camera_stays_near_its_place():
    positions = scenario("hover", 200, camera=SMALL).poses[:, :3, 3]
    assert np.linalg.norm(positions - positions.mean(axis=0), axis=1).max() < 0.05


def test_the_camera_never_looks_out_of_the_room():
    demo = scenario("demo", camera=SMALL)
    assert all(np.isfinite(demo.depth(index)).all() for index in range(0, 120, 20))


def test_the_bare_corridor_has_hardly_any_texture():
    def detail(name: str) -> float:
        image = scenario(name, 1, sensor=Sensor()).image(0).mean(axis=2)
        return float(np.median(np.abs(np.diff(image, axis=1))))

    assert detail("bare") < 0.5 * detail("forward")


def test_the_crate_covers_part_of_the_corridor_and_moves():
    made = scenario("corridor", 100, camera=SMALL)
    empty = RenderedSequence(
        corridor, made.path, 100, 20.0, SMALL, parts=lambda time: paths.looking((99, 99, 99), 0.0)[None]
    )
    crate = [made.depth(index) < empty.depth(index) - 0.1 for index in (0, 20)]
    assert 0.25 < crate[0].mean() < 0.4
    assert not np.array_equal(*crate)


def test_the_exposure_scene_gets_darker_and_brighter():
    made = scenario("exposure", 40, camera=SMALL)
    middle, bright, dark = (float(made.image(index).mean()) for index in (0, 10, 30))
    assert dark < 0.6 * middle
    assert bright > 1.1 * middle


def test_the_blur_scene_is_blurred_by_its_own_motion():
    blurred, sharp = (scenario("blur", 12, camera=SMALL, sensor=sensor) for sensor in (None, Sensor()))
    images = [made.image(11).astype(float) for made in (blurred, sharp)]
    steps = [np.abs(np.diff(image, axis=1)).mean() for image in images]
    assert steps[0] < 0.9 * steps[1]
    assert np.array_equal(blurred.poses, sharp.poses)


def test_noise_is_what_tells_two_frames_of_the_standing_scene_apart():
    made = scenario("standing", 2, camera=SMALL)
    difference = made.image(0).astype(float) - made.image(1)
    assert 3.0 < difference.std() < 5.0
