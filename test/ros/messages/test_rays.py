# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.matching.types import Keypoints, Matches
from drcn_ros.ros.messages.rays import FrameRays, RayTable

STRONG = Camera(
    640, 480, fx=400.0, fy=400.0, cx=320.0, cy=240.0,
    distortion=Distortion.PLUMB_BOB, coefficients=(-0.3, 0.1, 0.001, -0.002, 0.0),
)  # fmt: skip
FISHEYE = Camera(
    640, 480, fx=300.0, fy=300.0, cx=320.0, cy=240.0,
    distortion=Distortion.EQUIDISTANT, coefficients=(0.02, -0.01, 0.003, 0.0),
)  # fmt: skip
# Its corners lie beyond 88 degrees, where there are no rays, and just before them a pixel is stretched most.
WIDEST = Camera(
    640, 480, fx=220.0, fy=220.0, cx=320.0, cy=240.0,
    distortion=Distortion.EQUIDISTANT, coefficients=(0.02, -0.01, 0.003, 0.0),
)  # fmt: skip
TILTED = Camera(
    1280, 720, fx=900.0, fy=905.0, cx=630.0, cy=370.0,
    distortion=Distortion.RATIONAL_POLYNOMIAL,
    coefficients=(0.2, -0.1, 0.001, 0.002, 0.01, 0.3, -0.05, 0.01, 0.001, 0.0, -0.001, 0.0, 0.01, -0.02),
)  # fmt: skip
SPHERE = Camera(
    752, 480, fx=260.0, fy=261.0, cx=374.0, cy=243.0,
    distortion=Distortion.DOUBLE_SPHERE, coefficients=(-0.24, 0.57), skew=1.5,
)  # fmt: skip
PINHOLE = Camera(640, 480, fx=400.0, fy=410.0, cx=320.0, cy=240.0)


def points(camera: Camera, count: int = 5000, seed: int = 0) -> np.ndarray:
    low, high = [-0.5, -0.5], [camera.width - 0.5, camera.height - 0.5]
    return np.random.default_rng(seed).uniform(low, high, (count, 2)).astype(np.float32)


@pytest.mark.parametrize("camera", [STRONG, FISHEYE, WIDEST, TILTED, SPHERE, PINHOLE])
def test_rays_are_those_of_the_lens_to_a_thousandth_of_a_pixel(camera: Camera) -> None:
    places = points(camera)
    rays, exact = RayTable(camera).rays(places), camera.normalise(places.astype(np.float64))
    known = np.isfinite(exact).all(axis=1)
    assert (np.isfinite(rays).all(axis=1) == known).all()
    assert known.mean() > 0.9
    assert np.abs(camera.project(rays[known]) - places[known]).max() < 2e-3


def test_points_beside_the_image_and_no_points_at_all_have_the_rays_of_the_lens() -> None:
    table = RayTable(STRONG)
    places = np.array([[-2.8, 3.0], [643.9, 100.0], [5.0, 482.5], [np.nan, 1.0], [20.0, 30.0]], np.float32)
    exact = STRONG.normalise(places.astype(np.float64))
    assert table.rays(places) == pytest.approx(exact, abs=1e-6, nan_ok=True)
    assert np.isnan(table.rays(places)[3]).all()
    assert table.rays(np.zeros((0, 2), np.float32)).shape == (0, 2)


def test_without_a_calibration_there_are_no_rays() -> None:
    assert np.isnan(RayTable(None).rays(points(STRONG, 5))).all()


def test_keypoints_and_both_ends_of_the_matches_have_their_rays(kit: Any) -> None:
    keypoints, current, reference = (points(STRONG, 50, seed) for seed in range(3))
    ones, index = np.ones(50, np.float32), np.arange(50)
    result = kit.result(
        keypoints=Keypoints(keypoints, ones, ones),
        matches=Matches(reference, current, ones, index, index),
        inliers=np.ones(50, bool),
    )
    for camera in (STRONG, FISHEYE):
        rays = FrameRays(result, camera)
        for found, places in (
            (rays.keypoints, keypoints),
            (rays.current, current),
            (rays.reference, reference),
        ):
            assert found == pytest.approx(camera.normalise(places.astype(np.float64)), abs=1e-4)
