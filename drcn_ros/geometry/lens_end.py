# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where in its image a lens model ends: beyond a fold, or sideways, pixels have no rays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array

_DIRECTIONS = 64
# Near a fold the angle changes fast, so the last step is divided once more.
_STEPS = 100
_REFINEMENTS = 2
_GRID = 64
# Models that turn back end before this angle; the others lose only what looks sideways.
_SIDEWAYS_DEG = 87.0


@dataclass(frozen=True)
class LensEnd:
    """The nearest place at which a lens model ends inside the image.

    Attributes:
        angle_deg: of the last ray, from the axis.
        radius_px: distance from the principal point, pixels.
        lost: share of the image's pixels that have no ray.
    """

    angle_deg: float
    radius_px: float
    lost: float

    @property
    def turns_back(self) -> bool:
        """Whether the coefficients turn back, rather than the image showing what lies sideways."""
        return self.angle_deg < _SIDEWAYS_DEG


def lens_end(camera: Camera) -> LensEnd | None:
    """Return where the lens model of a camera ends, None where each pixel of its image has a ray."""
    x = np.linspace(0.0, camera.width - 1.0, _GRID)
    y = np.linspace(0.0, camera.height - 1.0, _GRID)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    lost = ~_has_ray(camera.normalise(grid))
    if not lost.any():
        return None
    pixels = grid[lost][:: max(1, int(lost.sum()) // _DIRECTIONS)]
    radii, angles = _last_rays(camera, pixels)
    nearest = int(np.argmin(radii))
    return LensEnd(float(angles[nearest]), float(radii[nearest]), float(lost.mean()))


def _last_rays(camera: Camera, pixels: Array) -> tuple[Array, Array]:
    """Return distance, pixels, and angle, degrees, of the last rays on the ways to pixels (N, 2)."""
    centre = np.array([camera.cx, camera.cy])
    ways, rows = pixels - centre, np.arange(len(pixels))
    low, high, rays = np.zeros(len(pixels)), np.ones(len(pixels)), np.zeros((len(pixels), 2))
    for _ in range(_REFINEMENTS):
        places = np.linspace(low, high, _STEPS, axis=1)
        found = camera.normalise((centre + places[:, :, None] * ways[:, None]).reshape(-1, 2))
        found = found.reshape(len(pixels), _STEPS, 2)
        # Where not even the middle has a ray, the model ends there.
        last = np.maximum(np.argmin(_has_ray(found), axis=1) - 1, 0)
        low, high, rays = places[rows, last], places[rows, last + 1], found[rows, last]
    angles: Array = np.degrees(np.arctan(np.hypot(rays[:, 0], rays[:, 1])))
    return low * np.hypot(ways[:, 0], ways[:, 1]), np.nan_to_num(angles)


def _has_ray(rays: Array) -> NDArray[np.bool_]:
    finite: NDArray[np.bool_] = np.isfinite(rays[..., 0] + rays[..., 1])
    return finite
