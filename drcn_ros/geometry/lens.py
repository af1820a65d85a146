# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Lens models on the plane z = 1: where a ray falls with the lens, and which ray a point came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np

from drcn_ros.geometry import closed_form_lens
from drcn_ros.geometry.batched_algebra import inverses
from drcn_ros.geometry.closed_form_lens import MIRROR, ClosedForm
from drcn_ros.geometry.types import Array

# Rays are written (x, y, 1), so they end before the plane through the camera's centre; beyond this angle a
# pixel would stretch a thousandfold.
_WIDEST = np.radians(88.0)
_SAMPLES = 2048
_ITERATIONS = 12
# A step of Newton's method from so near, on the plane z = 1, ends at the solution.
_NEAR = 2e-6
# So many steps are made with all points before those that are done are set aside.
_TOGETHER = 3


class Distortion(Enum):
    """Lens models; the values are ROS's names where it has one."""

    NONE = "none"
    PLUMB_BOB = "plumb_bob"
    RATIONAL_POLYNOMIAL = "rational_polynomial"
    EQUIDISTANT = "equidistant"
    DOUBLE_SPHERE = "double_sphere"
    EUCM = "eucm"
    OMNI = "omni"
    FOV = "fov"


# How many coefficients each model takes, in OpenCV's order: k1 k2 p1 p2 (k3 (k4 k5 k6 (s1..s4 (tx ty)))), and
# k1 k2 k3 k4 of the angle for the equidistant one. Then xi alpha; alpha beta; xi (k1 k2 p1 p2); omega.
COEFFICIENTS = {
    Distortion.NONE: (0,),
    Distortion.PLUMB_BOB: (0, 4, 5, 8, 12, 14),
    Distortion.RATIONAL_POLYNOMIAL: (0, 4, 5, 8, 12, 14),
    Distortion.EQUIDISTANT: (0, 4),
    Distortion.DOUBLE_SPHERE: (2,),
    Distortion.EUCM: (2,),
    Distortion.OMNI: (1, 5),
    Distortion.FOV: (1,),
}

# Names of coefficients with the values that make sense, smallest and largest.
RANGES = {
    Distortion.DOUBLE_SPHERE: (("xi", -1.0, 2.0), ("alpha", 0.0, 1.0)),
    Distortion.EUCM: (("alpha", 0.0, 1.0), ("beta", 1e-3, 1e3)),
    Distortion.OMNI: (("xi", 0.0, 100.0),),
    Distortion.FOV: (("omega", 1e-3, 3.1),),
}

_CLOSED = {
    Distortion.DOUBLE_SPHERE: closed_form_lens.DOUBLE_SPHERE,
    Distortion.EUCM: closed_form_lens.ENHANCED_UNIFIED,
    Distortion.FOV: closed_form_lens.FIELD_OF_VIEW,
    Distortion.OMNI: MIRROR,
}


@dataclass(frozen=True)
class Lens:
    """One lens: `distort` and its inverse, both with derivatives.

    The polynomial models are Brown's (1966) with the rational extension, thin prism and tilt of OpenCV's
    calibration page; the equidistant one is that of Kannala and Brandt (2006) with four terms;
    `closed_form_lens` names the others. Behind the mirror of the omnidirectional one lies a polynomial lens.
    A model is believed only as far from the axis as its radius grows: behind that fold two rays meet.
    """

    distortion: Distortion
    coefficients: tuple[float, ...]

    def distort(self, rays: Array) -> Array:
        """Return where rays (2, N) fall (2, N), NaN where a ray lies beyond the fold."""
        points = self._distort(rays)[0]
        points[:, np.hypot(rays[0], rays[1]) > _profile(self).radii[-1]] = np.nan
        return points

    def undistort(self, points: Array) -> tuple[Array, Array]:
        """Return the rays (2, N) of points (2, N), and the derivatives (2, 2, N), or (2, 2, 1), [ray, point].

        Newton's method from the inverse of the radial part; NaN where it finds no ray before the fold.
        """
        if self.distortion is Distortion.NONE:
            finite = np.isfinite(points[0] + points[1])
            return np.where(finite, points, np.nan), np.eye(2)[:, :, None]
        profile = _profile(self)
        if self._closed is not None:
            return self._undistort_closed(points, self._closed, profile.radii[-1])
        rays = np.full(points.shape, np.nan)
        inverse = np.full((2, *points.shape), np.nan)
        distance = np.hypot(points[0], points[1])
        # The margin is for the part of the model that is not radial; what has no ray is found below.
        columns = np.flatnonzero(distance < 1.1 * profile.distorted[-1])
        distance = distance[columns]
        guess = np.interp(distance, profile.distorted, profile.radii)
        wanted = points.take(columns, axis=1)
        found = wanted * (guess / np.maximum(distance, 1e-12))
        with np.errstate(all="ignore"):
            for iteration in range(_ITERATIONS):
                fallen, jacobian = self._distort(found)
                error = wanted - fallen
                determinant, backward = inverses(jacobian)
                done = np.abs(error).max(axis=0) < _NEAR
                found += backward[:, 0] * error[0] + backward[:, 1] * error[1]
                if iteration < _TOGETHER and not done.all():
                    continue
                # The inverse exists as long as the map keeps its orientation.
                good = done & (determinant > 0.0) & (_squared_radius(found) <= profile.radii[-1] ** 2)
                if len(columns) == points.shape[1] and good.all():
                    return found, backward
                rays[:, columns[good]] = found[:, good]
                inverse[:, :, columns[good]] = backward[:, :, good]
                if done.all():
                    break
                left = np.flatnonzero(~done)
                columns, found, wanted = columns[left], found.take(left, axis=1), wanted.take(left, axis=1)
        return rays, inverse

    def _distort(self, rays: Array) -> tuple[Array, Array]:
        if self.distortion is Distortion.NONE:
            return rays.copy(), np.repeat(np.eye(2)[:, :, None], rays.shape[1], axis=2)
        if self.distortion is Distortion.EQUIDISTANT:
            return _equidistant(rays, self.coefficients)
        if self._closed is None:
            return _polynomial(rays, self.coefficients)
        points, jacobian = self._closed.distort(rays, self.coefficients)
        if self._behind is None:
            return points, jacobian
        points, outer = self._behind._distort(points)
        return points, np.einsum("ijn,jkn->ikn", outer, jacobian)

    def _undistort_closed(self, points: Array, form: ClosedForm, end: float) -> tuple[Array, Array]:
        if self._behind is None:
            return form.undistort(points, self.coefficients, end)
        mirrored, inner = self._behind.undistort(points)
        rays, backward = form.undistort(mirrored, self.coefficients, end)
        return rays, np.einsum("ijn,jkn->ikn", backward, inner)

    @property
    def _closed(self) -> ClosedForm | None:
        return _CLOSED.get(self.distortion)

    @property
    def _behind(self) -> Lens | None:
        """The polynomial lens that follows the mirror of an omnidirectional one."""
        if self.distortion is not Distortion.OMNI or not any(self.coefficients[1:]):
            return None
        return Lens(Distortion.PLUMB_BOB, self.coefficients[1:])


@dataclass(frozen=True)
class _Profile:
    """Samples of the radial part up to the fold: `distorted` grows with `radii`."""

    radii: Array
    distorted: Array


@lru_cache(maxsize=32)
def _profile(lens: Lens) -> _Profile:
    radii = np.tan(np.linspace(0.0, _WIDEST, _SAMPLES))
    if lens.distortion is Distortion.EQUIDISTANT:
        angle = np.arctan(radii)
        factor, _ = _angle_polynomial(angle, lens.coefficients)
        distorted = angle * factor
    elif lens.distortion is Distortion.NONE:
        distorted = radii
    elif lens.distortion in _CLOSED:
        factor, _ = _CLOSED[lens.distortion].factor(radii**2, lens.coefficients)
        # A ray that falls behind the lens ends the model as a fold does.
        distorted = np.nan_to_num(radii * factor, nan=-1.0)
    else:
        numerator, denominator, _, _ = _radial(radii**2, lens.coefficients)
        # Behind a pole of the fraction nothing is believed either.
        distorted = np.where(denominator > 0.0, radii * numerator / np.maximum(denominator, 1e-12), -1.0)
    falling = np.flatnonzero(np.diff(distorted) <= 0.0)
    end = int(falling[0]) + 1 if len(falling) else _SAMPLES
    return _Profile(radii[: max(end, 2)], distorted[: max(end, 2)])


def _angle_polynomial(angle: Array, coefficients: tuple[float, ...]) -> tuple[Array, Array]:
    """Return 1 + k1 t^2 + ... and its derivative by t^2, for angles t (N,)."""
    k1, k2, k3, k4 = coefficients or (0.0,) * 4
    s = angle**2
    return 1.0 + s * (k1 + s * (k2 + s * (k3 + s * k4))), k1 + s * (2 * k2 + s * (3 * k3 + s * 4 * k4))


def _equidistant(rays: Array, coefficients: tuple[float, ...]) -> tuple[Array, Array]:
    x, y = rays
    squared = x * x + y * y
    radius = np.sqrt(squared)
    angle = np.arctan(radius)
    factor, by_square = _angle_polynomial(angle, coefficients)
    small = radius < 1e-6
    safe = np.where(small, 1.0, radius)
    # scale = t / r * factor, and its derivative by r^2.
    ratio = np.where(small, 1.0 - squared / 3.0, angle / safe)
    by_angle = factor + 2.0 * angle**2 * by_square
    slope = np.where(
        small, by_square - 1.0 / 3.0, (by_angle / (1.0 + squared) - ratio * factor) / (2.0 * safe**2)
    )
    scale = ratio * factor
    jacobian = np.empty((2, *rays.shape))
    jacobian[0, 0] = scale + 2.0 * slope * x * x
    jacobian[1, 1] = scale + 2.0 * slope * y * y
    jacobian[0, 1] = jacobian[1, 0] = 2.0 * slope * x * y
    return rays * scale, jacobian


def _radial(squared: Array, coefficients: tuple[float, ...]) -> tuple[Array, Array, Array, Array]:
    """Return numerator and denominator of the radial factor (N,), then their derivatives by r^2."""
    k1, k2, _, _, k3, k4, k5, k6 = (coefficients + (0.0,) * 8)[:8]
    s = squared
    return (
        1.0 + s * (k1 + s * (k2 + s * k3)),
        1.0 + s * (k4 + s * (k5 + s * k6)),
        k1 + s * (2 * k2 + s * 3 * k3),
        k4 + s * (2 * k5 + s * 3 * k6),
    )


def _polynomial(rays: Array, coefficients: tuple[float, ...]) -> tuple[Array, Array]:
    padded = coefficients + (0.0,) * (14 - len(coefficients))
    p1, p2 = padded[2:4]
    prism, tilt = padded[8:12], padded[12:]
    x, y = rays
    xx, xy, yy = x * x, x * y, y * y
    squared = xx + yy
    above, below, above_slope, below_slope = _radial(squared, coefficients)
    scale = above / below
    twice_slope = 2.0 * (above_slope - scale * below_slope) / below
    points = np.empty_like(rays)
    points[0] = x * scale + (2 * p1) * xy + p2 * (squared + 2 * xx)
    points[1] = y * scale + p1 * (squared + 2 * yy) + (2 * p2) * xy
    jacobian = np.empty((2, *rays.shape))
    jacobian[0, 0] = scale + xx * twice_slope + (2 * p1) * y + (6 * p2) * x
    jacobian[0, 1] = jacobian[1, 0] = xy * twice_slope + (2 * p1) * x + (2 * p2) * y
    jacobian[1, 1] = scale + yy * twice_slope + (6 * p1) * y + (2 * p2) * x
    if any(prism):
        _add_prism(rays, squared, prism, points, jacobian)
    if not any(tilt):
        return points, jacobian
    matrix = _tilt(*tilt)
    mapped = matrix[:, :2] @ points + matrix[:, 2:]
    tilted = mapped[:2] / mapped[2]
    by_point = (matrix[:2, :2, None] - tilted[:, None] * matrix[2, :2, None]) / mapped[2]
    return tilted, np.einsum("ijn,jkn->ikn", by_point, jacobian)


def _add_prism(
    rays: Array, squared: Array, coefficients: tuple[float, ...], points: Array, jacobian: Array
) -> None:
    """Add the thin prism's part to points (2, N) and their derivatives (2, 2, N)."""
    for row, (first, second) in enumerate((coefficients[:2], coefficients[2:])):
        points[row] += squared * (first + second * squared)
        jacobian[row] += 2.0 * (first + 2.0 * second * squared) * rays


def _tilt(tilt_x: float, tilt_y: float) -> Array:
    """Return the (3, 3) homography of a sensor that is tilted against the lens."""
    cx, sx, cy, sy = np.cos(tilt_x), np.sin(tilt_x), np.cos(tilt_y), np.sin(tilt_y)
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, cx, sx], [0.0, -sx, cx]])
    about_y = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]])
    turn = about_y @ about_x
    onto = np.array([[turn[2, 2], 0.0, -turn[0, 2]], [0.0, turn[2, 2], -turn[1, 2]], [0.0, 0.0, 1.0]])
    tilt: Array = onto @ turn
    return tilt


def _squared_radius(points: Array) -> Array:
    squared: Array = points[0] * points[0] + points[1] * points[1]
    return squared
