# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the calibration holds towards the rim of the image, from the epipolar residuals of a whole run.

A calibration that is wrong at the rim moves points there outwards or inwards, more with the square of their
distance from the centre. Rotation and direction of each frame take up most of it, so that the size of the
residuals says little. What they cannot take up is a radial pattern, which many frames together show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drcn_ros.evaluation.estimates import Correspondences, FrameEstimate
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.epipolar import sampson, sampson_jacobian
from drcn_ros.geometry.ray_pairs import RayPairs, ray_pairs
from drcn_ros.geometry.types import Array

RINGS = 5
_FEWEST_MATCHES, _FEWEST_FRAMES = 40, 10
# A frame can tell where its own residuals give the pattern to this, as a change of a ray of slope 1. One of a
# camera that goes straight ahead cannot: such an error moves points along the very lines on which they move.
_CAN_TELL = 0.01
# Residuals beyond so many deviations count as wrong matches.
_WRONG = 4.0
# What is told as an error: percent of the distance from the centre, and deviations.
_LARGE_PERCENT, _CERTAIN = 0.5, 4.0
# Steps of derivatives: of the radial change, and in pixels.
_STEP, _PIXEL = 1e-4, 0.05
_GRID = 48
# Rays beyond 63 degrees from the axis are left out: no square of their length describes a lens there.
_LONGEST = 2.0
# Residuals are counted in classes of this width, pixels.
_SIZE_PX, _SIZES = 0.005, 1000


@dataclass(frozen=True)
class RimCheck:
    """What the residuals of a run say of the calibration.

    Attributes:
        rings_px: deviation of the residuals in five rings of the same area, from the centre to the rim,
            pixels; None where there are too few.
        frames: that can tell a radial error.
        percent: by how much longer the rays at the corner that is farthest from the centre would have to be
            for the residuals to be smallest; the change falls with the square towards the centre. None where
            too few frames can tell.
        deviation_percent: its standard deviation, from the spread among the frames.
        rim_px: the same change in pixels.
    """

    rings_px: tuple[float | None, ...]
    frames: int
    percent: float | None
    deviation_percent: float | None
    rim_px: float | None

    @property
    def note(self) -> str:
        """A line for people, empty where nothing speaks against the calibration."""
        if self.percent is None or self.deviation_percent is None or self.rim_px is None:
            return ""
        if abs(self.percent) < max(_LARGE_PERCENT, _CERTAIN * self.deviation_percent):
            return ""
        return (
            "residuals have a pattern that grows towards the rim of the image: the calibration seems wrong "
            f"there by {abs(self.percent):.1f} % ({abs(self.rim_px):.1f} px in the corners, told by "
            f"{self.frames} frames), and lengths drift with it; calibrate again with points near the rim"
        )


class RimResiduals:
    """Takes the frames of a run one by one.

    Args:
        camera: of the run; without one nothing is told.
    """

    def __init__(self, camera: Camera | None) -> None:
        self._camera = camera
        # How many residuals have which size: a long run must not take more memory than a short one.
        self._sizes = np.zeros((RINGS, _SIZES), np.int64)
        # Of each frame that can tell: the change that its residuals ask for, and its weight.
        self._changes: list[tuple[float, float]] = []
        self._edges, self._farthest = (np.zeros(0), 0.0) if camera is None else _ring_edges(camera)

    def add(self, estimate: FrameEstimate, matches: Correspondences | None) -> None:
        """Take a frame whose motion was told, and its matches; others are passed over."""
        if self._camera is None or matches is None or estimate.rotation is None or estimate.direction is None:
            return
        kept = matches.inliers
        reference, current = (
            points[kept].astype(np.float64) for points in (matches.reference_points, matches.current_points)
        )
        pairs, _ = ray_pairs(reference, current, self._camera)
        pairs = pairs.take((np.hypot(*pairs.rays[:2]) < _LONGEST) & (np.hypot(*pairs.rays[3:5]) < _LONGEST))
        if len(pairs) < _FEWEST_MATCHES:
            return
        residuals = sampson(pairs, estimate.rotation, estimate.direction)
        noise = max(_deviation(residuals), 0.02)
        usable = np.abs(residuals) < _WRONG * noise
        ring = np.asarray(np.searchsorted(self._edges, np.hypot(*pairs.current[:2])), np.int64)
        size = np.minimum(np.abs(residuals) / _SIZE_PX, _SIZES - 1).astype(np.int64)
        np.add.at(self._sizes, (ring[usable], size[usable]), 1)
        self._add_change(pairs.take(usable), estimate, residuals[usable], noise)

    def check(self) -> RimCheck:
        """Return what all frames say together."""
        rings_px = tuple(map(_deviation_of_sizes, self._sizes))
        count = len(self._changes)
        if count < _FEWEST_FRAMES or self._camera is None:
            return RimCheck(rings_px, count, None, None, None)
        changes, weights = np.array(self._changes).T
        weights = weights / weights.sum()
        change = float((weights * changes).sum())
        deviation = float(np.sqrt((weights**2 * (changes - change) ** 2).sum()))
        percent = 100.0 * self._farthest**2
        pixels = self._camera.mean_focal * self._farthest**3
        return RimCheck(rings_px, count, percent * change, percent * deviation, pixels * change)

    def _add_change(self, pairs: RayPairs, estimate: FrameEstimate, residuals: Array, noise: float) -> None:
        """Note the radial change that the residuals ask for beyond what a change of the pose gives."""
        assert estimate.rotation is not None
        assert estimate.direction is not None
        pose = estimate.rotation, estimate.direction
        jacobian = sampson_jacobian(pairs, *pose)[1]
        pattern = _pattern(pairs, *pose)
        taken = np.linalg.lstsq(jacobian.T, np.stack([pattern, residuals], axis=1), rcond=None)[0]
        of_pattern, of_residuals = taken.T
        alone = pattern - of_pattern @ jacobian
        information = float(alone @ alone) / noise**2
        if information < _CAN_TELL**-2:
            return
        # The pattern is made of noisy points, and so is not independent of their residuals.
        shared = np.mean(residuals**2) * _slope_along_noise(pairs, *pose, of_pattern)
        asked = float(alone @ (residuals - of_residuals @ jacobian)) - shared
        self._changes.append((-asked / noise**2 / information, information))


def _pattern(pairs: RayPairs, rotation: Array, direction: Array) -> Array:
    """Return the derivative (N,) of the residuals by the radial change."""
    more, less = (sampson(_stretched(pairs, change), rotation, direction) for change in (_STEP, -_STEP))
    derivative: Array = (more - less) / (2.0 * _STEP)
    return derivative


def _slope_along_noise(pairs: RayPairs, rotation: Array, direction: Array, of_pattern: Array) -> float:
    """Return the sum of the derivatives of the pattern, beyond the pose, along the points' own residuals.

    A residual's gradient by the four pixel coordinates of a match has length one.
    """
    gradient = np.empty((4, len(pairs)))
    for axis in range(4):
        more, less = (sampson(_shifted(pairs, axis, step), rotation, direction) for step in (_PIXEL, -_PIXEL))
        gradient[axis] = (more - less) / (2.0 * _PIXEL)
    ends = []
    for step in (_PIXEL, -_PIXEL):
        moved = pairs
        for axis in range(4):
            moved = _shifted(moved, axis, step * gradient[axis])
        jacobian = sampson_jacobian(moved, rotation, direction)[1]
        ends.append(_pattern(moved, rotation, direction) - of_pattern @ jacobian)
    return float((ends[0] - ends[1]).sum() / (2.0 * _PIXEL))


def _shifted(pairs: RayPairs, axis: int, pixels: Array | float) -> RayPairs:
    """Return pairs with one pixel coordinate, x and y of the current and then of the reference, moved."""
    rays = pairs.rays.copy()
    by_pixel = pairs.current_pixel if axis < 2 else pairs.reference_pixel
    first = 0 if axis < 2 else 3
    rays[first : first + 2] += by_pixel[:, axis % 2] * pixels
    return replace(pairs, rays=rays)


def _stretched(pairs: RayPairs, change: float) -> RayPairs:
    """Return pairs whose rays (x, y) are longer by `change` times their squared length."""
    rays = pairs.rays.copy()
    for first in (0, 3):
        rays[first : first + 2] *= 1.0 + change * (rays[first : first + 2] ** 2).sum(axis=0)
    return replace(pairs, rays=rays)


def _ring_edges(camera: Camera) -> tuple[Array, float]:
    """Return where rings of the same area meet, as lengths of rays, and the length of the longest ray."""
    columns, rows = np.meshgrid(
        np.linspace(0, camera.width - 1, _GRID), np.linspace(0, camera.height - 1, _GRID)
    )
    rays = camera.normalise(np.stack([columns.ravel(), rows.ravel()], axis=1))
    lengths = np.hypot(*rays[np.isfinite(rays).all(axis=1)].T)
    return np.quantile(lengths, np.arange(1, RINGS) / RINGS), min(float(lengths.max()), _LONGEST)


def _deviation(residuals: Array) -> float:
    return 1.4826 * float(np.median(np.abs(residuals)))


def _deviation_of_sizes(counts: NDArray[np.int64]) -> float | None:
    """Return the deviation of residuals of which so many lie in each class, None of too few."""
    total = np.cumsum(counts)
    if total[-1] < _FEWEST_MATCHES:
        return None
    row = int(np.searchsorted(total, 0.5 * total[-1]))
    within = (0.5 * total[-1] - (total[row] - counts[row])) / counts[row]
    return float(1.4826 * _SIZE_PX * (row + within))
