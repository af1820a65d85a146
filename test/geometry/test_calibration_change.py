# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Two calibrations differ by what they do to the rim of the image."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from drcn_ros.geometry.calibration_change import largest_change_px
from drcn_ros.geometry.camera import Camera, Distortion

PLAIN = Camera(641, 481, 500.0, 500.0, 320.0, 240.0)
LENS = replace(PLAIN, distortion=Distortion.PLUMB_BOB, coefficients=(-0.2, 0.05, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("camera", [PLAIN, LENS])
def test_a_focal_length_moves_the_corners_most(camera: Camera):
    assert largest_change_px(camera, camera) == pytest.approx(0.0, abs=1e-6)
    change = largest_change_px(camera, replace(camera, fx=505.0, fy=505.0))
    assert change == pytest.approx(0.01 * math.hypot(320.0, 240.0), rel=1e-3)
    assert largest_change_px(camera, replace(camera, fx=500.0 + 1e-9)) < 1e-8


def test_a_shift_of_the_centre_is_its_length():
    assert largest_change_px(PLAIN, replace(PLAIN, cx=323.0, cy=244.0)) == pytest.approx(5.0)


def test_another_size_or_a_lens_that_ends_elsewhere_is_another_camera():
    assert largest_change_px(PLAIN, replace(PLAIN, width=640)) == math.inf
    folding = replace(LENS, coefficients=(-3.0, 0.0, 0.0, 0.0, 0.0))
    assert largest_change_px(LENS, folding) == math.inf
