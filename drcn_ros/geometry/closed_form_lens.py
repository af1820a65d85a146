# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Lens models whose inverse is a formula, on the plane z = 1: double sphere, EUCM, mirror, field of view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.batched_algebra import inverses, squared_length
from drcn_ros.geometry.types import Array

Coefficients = tuple[float, ...]


@dataclass(frozen=True)
class ClosedForm:
    """A radially symmetric lens: a ray (x, y, 1) falls at (x, y) times a factor of its squared radius.

    Attributes:
        factor: returns the factor (N,) for squared radii (N,), and its derivative by them.
        direction: returns for squared radii (N,) of points a (N,) and b (N,) of the ray (a x, a y, b) of
            point (x, y), NaN where there is none.
    """

    factor: Callable[[Array, Coefficients], tuple[Array, Array]]
    direction: Callable[[Array, Coefficients], tuple[Array, Array]]

    def distort(self, rays: Array, coefficients: Coefficients) -> tuple[Array, Array]:
        """Return where rays (2, N) fall, (2, N), and the derivatives (2, 2, N) [point, ray]."""
        factor, slope = self.factor(squared_length(rays), coefficients)
        x, y = rays
        jacobian = np.empty((2, *rays.shape))
        jacobian[0, 0] = factor + 2.0 * slope * x * x
        jacobian[1, 1] = factor + 2.0 * slope * y * y
        jacobian[0, 1] = jacobian[1, 0] = 2.0 * slope * x * y
        return rays * factor, jacobian

    def undistort(self, points: Array, coefficients: Coefficients, end: float) -> tuple[Array, Array]:
        """Return the rays (2, N) of points (2, N), and the derivatives (2, 2, N) [ray, point].

        NaN where a ray lies farther from the axis than `end`, on the plane z = 1.
        """
        with np.errstate(all="ignore"):
            along, forward = self.direction(squared_length(points), coefficients)
            rays = points * np.where(forward > 0.0, along / forward, np.nan)
            rays[:, ~(squared_length(rays) <= end**2)] = np.nan
            return rays, inverses(self.distort(rays, coefficients)[1])[1]


def _sphere_factor(squared: Array, coefficients: Coefficients) -> tuple[Array, Array]:
    xi, alpha = coefficients
    first = np.sqrt(squared + 1.0)
    lifted = xi * first + 1.0
    second = np.sqrt(squared + lifted**2)
    below = alpha * second + (1.0 - alpha) * lifted
    lifted_slope = 0.5 * xi / first
    second_slope = (0.5 + lifted * lifted_slope) / second
    return _inverted(below, alpha * second_slope + (1.0 - alpha) * lifted_slope)


def _sphere_direction(squared: Array, coefficients: Coefficients) -> tuple[Array, Array]:
    xi, alpha = coefficients
    root = np.sqrt(1.0 - (2.0 * alpha - 1.0) * squared)
    forward = (1.0 - alpha**2 * squared) / (alpha * root + 1.0 - alpha)
    along = (forward * xi + np.sqrt(forward**2 + (1.0 - xi**2) * squared)) / (forward**2 + squared)
    return along, along * forward - xi


def _unified_factor(squared: Array, coefficients: Coefficients) -> tuple[Array, Array]:
    alpha, beta = coefficients
    distance = np.sqrt(beta * squared + 1.0)
    return _inverted(alpha * distance + 1.0 - alpha, 0.5 * alpha * beta / distance)


def _unified_direction(squared: Array, coefficients: Coefficients) -> tuple[Array, Array]:
    alpha, beta = coefficients
    root = np.sqrt(1.0 - (2.0 * alpha - 1.0) * beta * squared)
    return np.ones_like(squared), (1.0 - beta * alpha**2 * squared) / (alpha * root + 1.0 - alpha)


def _mirror_factor(squared: Array, coefficients: Coefficients) -> tuple[Array, Array]:
    xi = coefficients[0]
    distance = np.sqrt(squared + 1.0)
    return _inverted(1.0 + xi * distance, 0.5 * xi / distance)


def _mirror_direction(squared: Array, coefficients: Coefficients) -> tuple[Array, Array]:
    xi = coefficients[0]
    along = (xi + np.sqrt(1.0 + (1.0 - xi**2) * squared)) / (1.0 + squared)
    return along, along - xi


def _view_factor(squared: Array, coefficients: Coefficients) -> tuple[Array, Array]:
    angle = coefficients[0]
    stretch = 2.0 * np.tan(0.5 * angle)
    widened = stretch**2 * squared
    small = widened < 1e-12
    safe = np.where(small, 1.0, widened)
    ratio = np.where(small, 1.0 - widened / 3.0, np.arctan(np.sqrt(safe)) / np.sqrt(safe))
    slope = np.where(small, -1.0 / 3.0, (1.0 / (1.0 + safe) - ratio) / (2.0 * safe))
    return stretch / angle * ratio, stretch**3 / angle * slope


def _view_direction(squared: Array, coefficients: Coefficients) -> tuple[Array, Array]:
    angle = coefficients[0]
    stretch = 2.0 * np.tan(0.5 * angle)
    turned = angle * np.sqrt(squared)
    small = turned < 1e-6
    safe = np.where(small, 1.0, turned)
    along = np.where(small, 1.0, np.tan(safe) / safe) * angle / stretch
    return along, np.where(turned < 0.5 * np.pi, 1.0, np.nan)


def _inverted(below: Array, slope: Array) -> tuple[Array, Array]:
    """Return 1 / below and its derivative, NaN where a ray falls behind the lens."""
    factor = 1.0 / np.where(below > 0.0, below, np.nan)
    return factor, -slope * factor**2


# Usenko, Demmel and Cremers, "The Double Sphere Camera Model" (3DV 2018), equations 40 to 50: xi, alpha.
DOUBLE_SPHERE = ClosedForm(_sphere_factor, _sphere_direction)
# Khomutenko, Garcia and Martinet, "An Enhanced Unified Camera Model" (RA-L 2016): alpha, beta.
ENHANCED_UNIFIED = ClosedForm(_unified_factor, _unified_direction)
# Mei and Rives, "Single View Point Omnidirectional Camera Calibration" (ICRA 2007), undistorted: xi.
MIRROR = ClosedForm(_mirror_factor, _mirror_direction)
# Devernay and Faugeras, "Straight lines have to be straight" (MVA 2001): the angle omega.
FIELD_OF_VIEW = ClosedForm(_view_factor, _view_direction)
