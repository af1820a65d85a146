# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.matching.types import Keypoints, Matches
from drcn_ros.ros.rays import PointRays, RayBook

STRONG = Camera(
    640, 480, fx=400.0, fy=400.0, cx=320.0, cy=240.0,
    distortion=Distortion.PLUMB_BOB, coefficients=(-0.3, 0.1, 0.001, -0.002, 0.0),
)  # fmt: skip
FISHEYE = Camera(
    640, 480, fx=300.0, fy=300.0, cx=320.0, cy=240.0,
    distortion=Distortion.EQUIDISTANT, coefficients=(0.02, -0.01, 0.003, 0.0),
)  # fmt: skip


def points(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform([0, 0], [640, 480], (count, 2)).astype(np.float32)


def pixels_apart(camera: Camera, rays: np.ndarray, others: np.ndarray) -> float:
    return float(np.abs(camera.project(rays) - camera.project(others)).max())


@pytest.mark.parametrize("camera", [STRONG, FISHEYE], ids=["strong", "fisheye"])
@pytest.mark.parametrize(("offset", "allowed"), [(0.0, 1e-9), (0.3, 6e-4), (0.7, 3e-3), (1.0, 1e-9)])
def test_rays_beside_keypoints_are_those_of_the_lens(camera: Camera, offset: float, allowed: float) -> None:
    keypoints = points(200)
    index = np.arange(200)
    beside = keypoints + np.float32(offset) * np.float32([0.7, -0.7])
    near = PointRays(keypoints, camera).near(index, beside)
    assert pixels_apart(camera, near, camera.normalise(beside.astype(np.float64))) <= allowed


def test_a_match_without_a_keypoint_has_its_own_ray() -> None:
    places = points(3, seed=1)
    near = PointRays(points(5), STRONG).near(np.array([-1, 99, -1]), places)
    assert near == pytest.approx(STRONG.normalise(places.astype(np.float64)))


def test_without_a_calibration_there_are_no_rays() -> None:
    rays = PointRays(points(5), None)
    assert np.isnan(rays.rays).all()
    assert np.isnan(rays.near(np.array([0, -1]), points(2))).all()


def frame(kit: Any, stamp: int, reference: int | None, keypoints: np.ndarray, matches: Matches) -> Any:
    ones = np.ones(len(keypoints), np.float32)
    return kit.result(
        stamp_ns=stamp,
        reference_stamp_ns=reference,
        keypoints=Keypoints(keypoints, ones, ones),
        matches=matches,
        inliers=np.ones(len(matches), bool),
    )


def test_both_ends_of_the_matches_have_the_rays_of_their_frames(kit: Any) -> None:
    book = RayBook()
    first, second = points(50, seed=2), points(50, seed=3)
    book.add(frame(kit, 1, None, first, Matches.empty()), STRONG)
    order = np.random.default_rng(4).permutation(50)
    scores = np.ones(50, np.float32)
    matches = Matches(first[order], second, scores, order, np.arange(50))
    for reference in (1, 77):
        rays = book.add(frame(kit, 2, reference, second, matches), STRONG)
        assert rays.keypoints == pytest.approx(STRONG.normalise(second.astype(np.float64)))
        assert rays.current == pytest.approx(STRONG.normalise(second.astype(np.float64)))
        assert rays.reference == pytest.approx(STRONG.normalise(first[order].astype(np.float64)))


def test_a_changed_calibration_makes_no_use_of_the_old_rays(kit: Any) -> None:
    book = RayBook()
    first = points(50)
    index = np.arange(50)
    book.add(frame(kit, 1, None, first, Matches.empty()), STRONG)
    matches = Matches(first, first, np.ones(50, np.float32), index, index)
    rays = book.add(frame(kit, 2, 1, first, matches), FISHEYE)
    assert rays.reference == pytest.approx(FISHEYE.normalise(first.astype(np.float64)))
