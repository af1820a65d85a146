# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera models against their inverse and against OpenCV."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera, Distortion

PLUMB = Camera(
    640, 480, 520.9, 521.0, 325.1, 249.7, Distortion.PLUMB_BOB, (0.2312, -0.7849, -0.0033, -1e-4, 0.917)
)
BARREL = Camera(1280, 800, 560.0, 562.0, 641.0, 398.0, Distortion.PLUMB_BOB, (-0.28, 0.08, 8e-4, -6e-4, 0.0))
RATIONAL = Camera(
    1920, 1080, 910.0, 908.0, 961.0, 539.0,
    Distortion.RATIONAL_POLYNOMIAL, (8.1, 4.2, 1e-4, -2e-4, 0.2, 8.45, 6.9, 1.1),
)  # fmt: skip
TILTED = Camera(
    640, 480, 500.0, 510.0, 322.0, 238.0, Distortion.RATIONAL_POLYNOMIAL,
    (-0.2, 0.05, 1e-3, -2e-3, 0.01, 0.02, 0.01, 0.0, 1e-3, -2e-3, 5e-4, 1e-3, 0.02, -0.03),
)  # fmt: skip
FISHEYE = Camera(
    848, 800, 286.0, 286.0, 421.0, 401.0, Distortion.EQUIDISTANT, (-0.0075, 0.042, -0.039, 0.0068)
)
PINHOLE = Camera(640, 480, 525.0, 525.0, 319.5, 239.5)
SPHERE = Camera(752, 480, 197.0, 198.0, 374.0, 243.0, Distortion.DOUBLE_SPHERE, (-0.24, 0.57))
UNIFIED = Camera(752, 480, 460.0, 459.0, 362.0, 246.0, Distortion.EUCM, (0.63, 1.04))
MIRROR = Camera(752, 480, 620.0, 618.0, 370.0, 241.0, Distortion.OMNI, (0.9, -0.18, 0.04, 1e-3, -8e-4))
VIEW = Camera(640, 480, 400.0, 401.0, 321.0, 238.0, Distortion.FOV, (0.93,))
CLOSED = {"double_sphere": SPHERE, "eucm": UNIFIED, "omni": MIRROR, "fov": VIEW}
SKEWED = replace(BARREL, skew=4.3)
CAMERAS = {
    **CLOSED, "skewed": SKEWED, "plain omni": replace(MIRROR, fx=1e3, fy=1e3, coefficients=(1.6,)),
    "pinhole": PINHOLE, "plumb_bob": PLUMB, "barrel": BARREL, "rational": RATIONAL, "tilted": TILTED,
    "fisheye": FISHEYE, "plain fisheye": Camera(800, 800, 280.0, 280.0, 400.0, 400.0, Distortion.EQUIDISTANT),
}  # fmt: skip


def pixels(camera: Camera, step: int = 7) -> np.ndarray:
    x, y = np.meshgrid(np.arange(0, camera.width, step), np.arange(0, camera.height, step))
    return np.column_stack([x.ravel(), y.ravel()]).astype(np.float64)


@pytest.mark.parametrize("name", CAMERAS)
def test_undistorting_and_distorting_returns_the_pixel(name):
    camera = CAMERAS[name]
    points = pixels(camera)
    rays = camera.normalise(points)
    found = np.isfinite(rays).all(axis=1)
    assert np.abs(camera.project(rays[found]) - points[found]).max() < 1e-6
    if name not in ("fisheye", "plain fisheye", "double_sphere"):
        assert found.all()


@pytest.mark.parametrize("name", ["fisheye", "plain fisheye"])
def test_a_fisheye_loses_only_the_pixels_that_look_sideways_or_back(name):
    camera = CAMERAS[name]
    points = pixels(camera)
    lost = ~np.isfinite(camera.normalise(points)).all(axis=1)
    angle = np.radians(np.arange(0.0, 91.0, 0.5))
    k = camera.coefficients or (0.0,) * 4
    bent = angle * (1 + sum(c * angle ** (2 * i + 2) for i, c in enumerate(k)))
    seen_at = np.interp(np.hypot(*((points - [camera.cx, camera.cy]) / camera.fx).T), bent, np.degrees(angle))
    assert lost.any()
    assert seen_at[lost].min() > 87.0
    assert seen_at[~lost].max() < 89.0


@pytest.mark.parametrize("name", ["plumb_bob", "barrel", "rational", "tilted"])
def test_projection_agrees_with_opencv(name):
    camera = CAMERAS[name]
    rng = np.random.default_rng(0)
    rays = rng.uniform(-0.5, 0.5, (100, 2))
    points = np.column_stack([rays, np.ones(100)])
    coefficients = np.array(camera.coefficients)
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera.matrix, coefficients)
    assert np.abs(camera.project(rays) - expected.reshape(-1, 2)).max() < 1e-9


def test_fisheye_projection_agrees_with_opencv():
    rays = np.random.default_rng(0).uniform(-3.0, 3.0, (100, 2))
    expected = cv2.fisheye.distortPoints(
        rays.reshape(-1, 1, 2), FISHEYE.matrix, np.array(FISHEYE.coefficients)
    )
    assert np.abs(FISHEYE.project(rays) - expected.reshape(-1, 2)).max() < 1e-9


@pytest.mark.parametrize("name", CAMERAS)
def test_derivatives_of_the_ray_agree_with_differences(name):
    camera = CAMERAS[name]
    points = pixels(camera, 61)
    _, jacobian = camera.rays(points)
    step = 1e-4
    for axis in range(2):
        shift = np.eye(2)[axis] * step
        numeric = (camera.normalise(points + shift) - camera.normalise(points - shift)) / (2 * step)
        fine = np.isfinite(numeric).all(axis=1) & np.isfinite(jacobian).all(axis=(1, 2))
        error = np.abs(numeric[fine] - jacobian[fine, :, axis])
        assert (error / np.maximum(np.abs(jacobian[fine]).max(axis=(1, 2)), 1e-12)[:, None]).max() < 1e-4


def seen(name: str, camera: Camera, x: float, y: float, z: float) -> tuple[float, float]:
    """Return where the formulas of the papers put a point on the plane of the lens."""
    d = np.sqrt(x * x + y * y + z * z)
    if name == "double_sphere":
        xi, alpha = camera.coefficients
        w = xi * d + z
        below = alpha * np.sqrt(x * x + y * y + w * w) + (1 - alpha) * w
    elif name == "eucm":
        alpha, beta = camera.coefficients
        below = alpha * np.sqrt(beta * (x * x + y * y) + z * z) + (1 - alpha) * z
    elif name == "omni":
        xi, k1, k2, p1, p2 = camera.coefficients
        u, v = x / (z + xi * d), y / (z + xi * d)
        r = u * u + v * v
        radial = 1 + k1 * r + k2 * r * r
        return (
            u * radial + 2 * p1 * u * v + p2 * (r + 2 * u * u),
            v * radial + p1 * (r + 2 * v * v) + 2 * p2 * u * v,
        )
    else:
        (omega,) = camera.coefficients
        r = np.hypot(x, y) / z
        below = z * omega * r / np.arctan(2 * r * np.tan(omega / 2))
    return x / below, y / below


@pytest.mark.parametrize("name", CLOSED)
def test_lenses_with_a_formula_project_as_their_papers_say(name):
    camera = CLOSED[name]
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(-2.0, 2.0, (100, 2)), rng.uniform(0.5, 3.0, 100)])
    expected = np.array([seen(name, camera, *point) for point in points])
    expected = expected * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    assert np.abs(camera.project(points[:, :2] / points[:, 2:]) - expected).max() < 1e-9


def test_a_double_sphere_loses_only_the_pixels_that_look_sideways_or_back():
    points = pixels(SPHERE)
    rays = SPHERE.normalise(points)
    lost = ~np.isfinite(rays).all(axis=1)
    rim = SPHERE.project(np.tan(np.radians([[88.0, 0.0], [0.0, 88.0]])))
    distance = np.hypot(*((points - [SPHERE.cx, SPHERE.cy]) / [SPHERE.fx, SPHERE.fy]).T)
    assert lost.any()
    assert np.array_equal(lost, distance > (rim[0, 0] - SPHERE.cx) / SPHERE.fx)


def test_a_skewed_matrix_moves_pixels_as_it_says():
    camera = replace(PINHOLE, skew=4.3)
    ray = np.array([0.1, -0.2, 1.0])
    expected = camera.matrix @ ray
    assert camera.project(ray[None, :2])[0] == pytest.approx(expected[:2])
    half = camera.scaled(320, 240)
    assert half.normalise(np.array([[80.0, 60.0]])) == pytest.approx(
        camera.normalise(np.array([[160.5, 120.5]]))
    )


@pytest.mark.parametrize(
    ("lens", "coefficients", "complaint"),
    [
        (Distortion.DOUBLE_SPHERE, (0.1, 1.5), "double_sphere with alpha 1.5: must be 0 to 1"),
        (Distortion.EUCM, (0.5, -1.0), "eucm with beta -1: must be 0.001 to 1000"),
        (Distortion.OMNI, (-0.5,), "omni with xi -0.5: must be 0 to 100"),
        (Distortion.FOV, (0.0,), "fov with omega 0: must be"),
    ],
)
def test_coefficients_without_meaning_are_refused(lens, coefficients, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        Camera(640, 480, 500.0, 500.0, 320.0, 240.0, lens, coefficients)


def test_points_behind_the_fold_of_the_lens_have_no_ray():
    # r (1 - 0.3 r^2) grows up to r = 1.054, where it is 0.703.
    camera = Camera(640, 480, 300.0, 300.0, 319.5, 239.5, Distortion.PLUMB_BOB, (-0.3, 0.0, 0.0, 0.0))
    inside, outside = np.array([[319.5 + 0.70 * 300.0, 239.5]]), np.array([[319.5 + 0.71 * 300.0, 239.5]])
    assert np.isfinite(camera.normalise(inside)).all()
    assert np.isnan(camera.normalise(outside)).all()
    assert np.isnan(camera.project(np.array([[1.2, 0.0]]))).all()


def test_pixels_that_are_not_finite_have_no_ray():
    for camera in CAMERAS.values():
        rays, jacobian = camera.rays(np.array([[np.nan, 1.0], [np.inf, 2.0], [400.0, 300.0]]))
        assert np.isnan(rays[0]).any()
        assert not np.isfinite(rays[1]).all()
        assert np.isfinite(rays[2]).all()
        assert np.isfinite(jacobian[2]).all()


def test_no_points_give_no_rays():
    for camera in CAMERAS.values():
        assert camera.normalise(np.zeros((0, 2))).shape == (0, 2)


def test_a_region_and_bins_see_the_same_rays():
    region = PLUMB.cropped(100, 60, 401, 302)
    point = np.array([[220.0, 171.0]])
    assert np.allclose(region.normalise(point - [100, 60]), PLUMB.normalise(point), atol=1e-12)
    binned = region.binned(2, 2)
    assert (binned.width, binned.height) == (200, 151)
    # The centre of bin (60, 55) lies between pixels 120 and 121, 110 and 111 of the region.
    expected = region.normalise(np.array([[120.5, 110.5]]))
    assert np.allclose(binned.normalise(np.array([[60.0, 55.0]])), expected, atol=1e-12)


@pytest.mark.parametrize(
    "numbers",
    [(640, 480, 0.0, 500.0, 1.0, 1.0), (640, 480, np.nan, 500.0, 1.0, 1.0), (0, 480, 500.0, 500.0, 1.0, 1.0)],
)
def test_a_singular_or_broken_matrix_is_refused(numbers):
    with pytest.raises(ConfigurationError, match="must be positive"):
        Camera(*numbers)


def test_a_wrong_number_of_coefficients_or_a_region_outside_is_refused():
    with pytest.raises(ConfigurationError, match="3 coefficients"):
        Camera(640, 480, 500.0, 500.0, 320.0, 240.0, Distortion.PLUMB_BOB, (0.1, 0.2, 0.3))
    with pytest.raises(ConfigurationError, match="reaches beyond"):
        PINHOLE.cropped(600, 0, 100, 100)
    with pytest.raises(ConfigurationError, match="binning 0x1"):
        PINHOLE.binned(0, 1)
