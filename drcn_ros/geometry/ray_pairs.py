# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matches as pairs of rays, and what remains of them when a rotation is removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.batched_algebra import inverses, times
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array

# A ray whose z is less runs behind the camera or along its image plane.
_LEAST = 1e-6


@dataclass(frozen=True)
class RayPairs:
    """Matches as rays, with what one pixel means at each of them; the last axis counts the matches.

    Attributes:
        rays: (6, N) rays (x, y, 1) of the current camera, then of the reference.
        current_pixel, reference_pixel: (2, 2, N) or (2, 2, 1), derivative [ray, pixel] of the ray's x and y.
        to_pixel: inverse of `reference_pixel`.
    """

    rays: Array
    current_pixel: Array
    reference_pixel: Array
    to_pixel: Array

    def __len__(self) -> int:
        return int(self.rays.shape[1])

    @property
    def current(self) -> Array:
        """(3, N) rays of the current camera."""
        return self.rays[:3]

    @property
    def reference(self) -> Array:
        """(3, N) rays of the reference camera."""
        return self.rays[3:]

    def take(self, rows: NDArray[Any]) -> RayPairs:
        """Return the pairs that `rows`, indices or a mask, selects."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows
        # Unlike an index in brackets, `take` keeps the matches side by side in memory.
        rays = self.rays.take(index, axis=1)
        pixels = (self.current_pixel, self.reference_pixel, self.to_pixel)
        if self.reference_pixel.shape[2] == 1:
            return RayPairs(rays, *pixels)
        return RayPairs(rays, *(values.take(index, axis=2) for values in pixels))


def ray_pairs(
    reference_points: Array, current_points: Array, camera: Camera
) -> tuple[RayPairs, NDArray[np.int64]]:
    """Return the matches that have rays, and their rows among all of them."""
    count = len(reference_points)
    normalised, pixel = camera.ray_columns(np.concatenate([current_points, reference_points]))
    finite = np.isfinite(normalised[0] + normalised[1])
    rows: NDArray[np.int64] = np.flatnonzero(finite[:count] & finite[count:])
    rays = np.ones((6, len(rows)))
    rays[:2], rays[3:5] = normalised.take(rows, axis=1), normalised.take(count + rows, axis=1)
    if pixel.shape[2] > 1:
        current_pixel, reference_pixel = pixel.take(rows, axis=2), pixel.take(count + rows, axis=2)
    else:
        current_pixel = reference_pixel = pixel
    return RayPairs(rays, current_pixel, reference_pixel, inverses(reference_pixel)[1]), rows


def parallax(pairs: RayPairs, rotation: Array) -> Array:
    """Return the displacements (2, N) that remain when the rotation is removed, reference pixels.

    Rays that the rotation turns behind the camera have huge ones.
    """
    return times(pairs.to_pixel, pairs.rays[3:5] - _turned(pairs, rotation)[0])


def parallax_and_line(
    pairs: RayPairs, rotation: Array, translation: Array
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return `parallax` (2, N), what an inverse depth of 1 / |t| adds to it, and what stays ahead.

    The second is of first order, (2, N); the third, (N,) bool, tells whether the rotation leaves the ray in
    front of the camera.
    """
    plane, ahead = _turned(pairs, rotation)
    shift = times(pairs.to_pixel, pairs.rays[3:5] - plane)
    plane *= -translation[2]
    plane += translation[:2, None]
    return shift, times(pairs.to_pixel, plane), ahead


def _turned(pairs: RayPairs, rotation: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return where the current rays cross the reference's plane z = 1, (2, N), without a translation.

    And (N,) bool, whether they do, or else run behind the camera.
    """
    turned = rotation @ pairs.rays[:3]
    plane: Array = turned[:2] / np.maximum(turned[2], _LEAST)
    return plane, turned[2] > _LEAST
