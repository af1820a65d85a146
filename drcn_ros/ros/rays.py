# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Rays of keypoints and matches, each lens inverted once per keypoint.

Inverting a lens for a thousand points costs a millisecond, and matches lie on keypoints or a fraction of a
pixel beside them. Their rays follow from the keypoint's by the lens's derivative: the error is of second
order in that fraction, under three thousandths of a pixel at the edge of a fisheye.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.types import Result

# Matches further than this from their keypoint, pixels, get their own inversion.
_NEAR_PX = 0.5
# Frames whose rays are kept: the reference is one of the last, or found again and again.
_KEPT = 4


class PointRays:
    """Rays (x, y, 1) of pixels, computed when first asked for.

    Args:
        points: (N, 2) pixels.
        camera: calibration, or None: then all rays are NaN.
    """

    def __init__(self, points: NDArray[np.float32], camera: Camera | None) -> None:
        self._points = points.astype(np.float64)
        self._camera = camera

    @property
    def rays(self) -> Array:
        """(N, 2) x and y; NaN where there is none."""
        return self._exact[0]

    def near(self, index: NDArray[np.int64], points: NDArray[np.float32]) -> Array:
        """Return the rays (M, 2) of pixels (M, 2), each near the point of its index; -1 is near none."""
        if self._camera is None:
            return np.full((len(points), 2), np.nan)
        wanted = points.astype(np.float64)
        known = (index >= 0) & (index < len(self._points))
        rays = np.empty((len(wanted), 2))
        rows = index[known]
        offset = wanted[known] - self._points[rows]
        exact, jacobian = self._exact
        rays[known] = exact[rows] + np.einsum("nij,nj->ni", jacobian[rows], offset)
        apart = ~known
        apart[known] = np.abs(offset).max(axis=1, initial=0.0) > _NEAR_PX
        if apart.any():
            rays[apart] = self._camera.normalise(wanted[apart])
        return rays

    @cached_property
    def _exact(self) -> tuple[Array, Array]:
        if self._camera is None:
            count = len(self._points)
            return np.full((count, 2), np.nan), np.full((count, 2, 2), np.nan)
        return self._camera.rays(self._points)


class FrameRays:
    """All rays of one result, computed when first asked for."""

    def __init__(self, result: Result, current: PointRays, reference: PointRays) -> None:
        self._matches = result.matches
        self._current = current
        self._reference = reference

    @property
    def keypoints(self) -> Array:
        """(N, 2), of the keypoints."""
        return self._current.rays

    @cached_property
    def current(self) -> Array:
        """(M, 2), of the matches in the current frame."""
        return self._current.near(self._matches.current_index, self._matches.current_points)

    @cached_property
    def reference(self) -> Array:
        """(M, 2), of the matches in the reference frame."""
        return self._reference.near(self._matches.reference_index, self._matches.reference_points)


class RayBook:
    """Makes the rays of each frame and remembers those of the frames before."""

    def __init__(self) -> None:
        self._camera: Camera | None = None
        self._frames: OrderedDict[int, PointRays] = OrderedDict()

    def add(self, result: Result, camera: Camera | None) -> FrameRays:
        """Return the rays of one frame."""
        if camera != self._camera:
            self._camera = camera
            self._frames.clear()
        stamp = result.reference_stamp_ns
        reference = None if stamp is None else self._frames.get(stamp)
        if reference is None:
            reference = PointRays(np.zeros((0, 2), np.float32), camera)
        elif stamp is not None:
            self._frames.move_to_end(stamp)
        current = PointRays(result.keypoints.points, camera)
        self._frames[result.stamp_ns] = current
        while len(self._frames) > _KEPT:
            self._frames.popitem(last=False)
        return FrameRays(result, current, reference)
