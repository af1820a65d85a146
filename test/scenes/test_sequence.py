# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A rendered sequence is reproducible, and its sensor's faults are what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.camera import Camera
from drcn_ros.scenes import paths
from drcn_ros.scenes.sequence import RenderedSequence, Sensor
from drcn_ros.scenes.surfaces import rectangle

CAMERA = Camera(80, 60, 70.0, 70.0, 39.5, 29.5)


def stripes(columns: int, lines: int) -> np.ndarray:
    row = np.where(np.arange(columns) // 10 % 2, 170, 60).astype(np.uint8)
    return np.repeat(np.tile(row, (lines, 1))[..., None], 3, axis=2)


SCENE = [rectangle((2.0, 3, 3), (0, -6, 0), (0, 0, -6), stripes, 50.0)]


def sequence(path=None, **sensor) -> RenderedSequence:
    path = path or paths.slide((0, 0, 0), 0.0, (0, -0.5, 0))
    return RenderedSequence(lambda: SCENE, path, 4, 10.0, CAMERA, Sensor(**sensor))


def test_two_passes_give_the_same_bytes():
    made = sequence(noise=3.0)
    first, second = ([image.tobytes() for _, image in made.frames()] for _ in range(2))
    assert first == second
    assert len(first) == len(made) == 4


def test_stamps_follow_the_rate_and_poses_the_path():
    made = sequence()
    assert np.diff(made.stamps_ns).tolist() == [100_000_000] * 3
    assert made.poses[3][:3, 3] == pytest.approx([0, -0.15, 0])


def test_noise_has_the_asked_deviation_and_differs_between_frames():
    still = paths.still((0, 0, 0), 0.0)
    clean, noisy = sequence(still), sequence(still, noise=4.0)
    differences = [noisy.image(index).astype(float) - clean.image(index) for index in (0, 1)]
    assert differences[0].std() == pytest.approx(4.0, rel=0.05)
    assert not np.array_equal(*differences)


def test_gain_scales_the_light_and_saturates():
    bright = sequence(gain=lambda time: 2.0).image(0)
    assert bright.max() == 255
    assert np.median(bright[bright < 200]) == pytest.approx(120, abs=2)


def test_motion_blur_softens_edges_along_the_motion():
    sharp, blurred = sequence().image(1), sequence(shutter_s=0.2).image(1)
    slopes = [np.abs(np.diff(image[30, :, 0].astype(int))).max() for image in (sharp, blurred)]
    assert slopes[1] < 0.6 * slopes[0]


def test_a_blurred_frame_that_does_not_move_stays_sharp():
    still = paths.still((0, 0, 0), 0.0)
    assert np.array_equal(sequence(still, shutter_s=0.2).image(0), sequence(still).image(0))
