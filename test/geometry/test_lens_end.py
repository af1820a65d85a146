# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where a lens model ends is known before keypoints are lost there."""

from __future__ import annotations

import numpy as np
import pytest

from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.geometry.lens_end import lens_end


def test_equidistant_coefficients_that_turn_back_end_the_model_where_the_radius_stops_growing():
    k = (-1.15, 2.91, -2.48, 0.18)
    camera = Camera(1920, 1200, 900.0, 900.0, 960.0, 600.0, Distortion.EQUIDISTANT, k)
    angle = np.linspace(0.0, 1.5, 100001)
    radius = angle * (1 + sum(c * angle ** (2 * i + 2) for i, c in enumerate(k)))
    fold = int(np.argmax(np.diff(radius) < 0.0))
    end = lens_end(camera)
    assert end is not None
    assert end.turns_back
    assert end.angle_deg == pytest.approx(np.degrees(angle[fold]), abs=1.5)
    assert end.radius_px == pytest.approx(900.0 * radius[fold], abs=10.0)
    x, y = np.meshgrid(np.arange(1920) - 960.0, np.arange(1200) - 600.0)
    assert end.lost == pytest.approx(np.mean(np.hypot(x, y) > 900.0 * radius[fold]), abs=0.02)


def test_a_radial_fold_inside_the_image_is_found_and_one_beyond_it_is_not():
    folded = Camera(640, 480, 300.0, 300.0, 319.5, 239.5, Distortion.PLUMB_BOB, (-0.3, 0.0, 0.0, 0.0))
    end = lens_end(folded)
    assert end is not None
    assert end.turns_back
    assert end.radius_px == pytest.approx(0.7027 * 300.0, abs=3.0)
    assert lens_end(Camera(400, 300, 300.0, 300.0, 199.5, 149.5)) is None
    assert lens_end(folded.cropped(200, 150, 240, 180)) is None


def test_a_lens_that_shows_what_lies_sideways_does_not_turn_back():
    end = lens_end(Camera(848, 800, 250.0, 250.0, 421.0, 401.0, Distortion.EQUIDISTANT))
    assert end is not None
    assert not end.turns_back
    assert end.angle_deg == pytest.approx(88.0, abs=1.0)
