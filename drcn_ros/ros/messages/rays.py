# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Rays of keypoints and matches from a table of the lens.

Inverting a lens for each point of a frame costs more than all of its messages. The inverse is smooth, so it
is computed once per calibration on a grid, with its derivatives, and interpolated by a cubic in each cell.
Where that is not exact to a thousandth of a pixel, at the edge of the widest lenses, points are inverted one
by one.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.geometry.types import Array
from drcn_ros.odometry.types import Result

# Cells of the grid across and down; the error falls with the fourth power.
_CELLS = np.array([64, 48])
_ALLOWED_PX = 1e-3
# How far the grid reaches beyond the image, pixels: refined matches may lie a little outside.
_MARGIN = 2.0
# Exponents of x and y in a cell. These twelve monomials are determined by value and both derivatives at the
# four corners (Adini and Clough, 1961).
_EXPONENTS = (
    (0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3), (3, 1), (1, 3),
)  # fmt: skip
_CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))


class RayTable:
    """Gives the rays (x, y, 1) of pixels.

    Args:
        camera: calibration, or None: then all rays are NaN.
    """

    def __init__(self, camera: Camera | None) -> None:
        self._camera = camera
        self._cell = np.ones(2)
        self._coefficients: Array | None = None
        if camera is not None and camera.distortion is not Distortion.NONE:
            self._cell = (np.array([camera.width, camera.height]) + 2.0 * _MARGIN) / _CELLS
            self._coefficients = _cubics(camera, self._cell)

    def rays(self, points: NDArray[np.float32]) -> Array:
        """Return x and y (N, 2) of pixels (N, 2), NaN where the lens has no ray."""
        if self._camera is None:
            return np.full((len(points), 2), np.nan)
        exact = points.astype(np.float64)
        if self._coefficients is None:
            return self._camera.normalise(exact)
        # One row for x and one for y: operations along short rows would take most of the time.
        place = np.ascontiguousarray(exact.T)
        place += _MARGIN
        place /= self._cell[:, None]
        with np.errstate(invalid="ignore"):
            outside = ~(
                (place[0] >= 0.0) & (place[0] < _CELLS[0]) & (place[1] >= 0.0) & (place[1] < _CELLS[1])
            )
        place[:, outside] = 0.0
        index = place.astype(np.int64)
        cubics = self._coefficients.take(index[0] + _CELLS[0] * index[1], axis=0)
        rays: Array = np.einsum("nrm,mn->nr", cubics, _monomials(*(place - index)))
        apart = outside | np.isnan(rays[:, 0])
        if apart.any():
            rays[apart] = self._camera.normalise(exact[apart])
        return rays


@lru_cache(maxsize=4)
def ray_table(camera: Camera | None) -> RayTable:
    """Return the table of a camera; those of the last ones are kept."""
    return RayTable(camera)


class FrameRays:
    """All rays of one result, computed together when one is first asked for."""

    def __init__(self, result: Result, camera: Camera | None) -> None:
        self._result = result
        self._camera = camera

    @property
    def keypoints(self) -> Array:
        """(N, 2), of the keypoints."""
        return self._all[: len(self._result.keypoints)]

    @property
    def current(self) -> Array:
        """(M, 2), of the matches in the current frame."""
        start = len(self._result.keypoints)
        return self._all[start : start + len(self._result.matches)]

    @property
    def reference(self) -> Array:
        """(M, 2), of the matches in the reference frame."""
        return self._all[len(self._result.keypoints) + len(self._result.matches) :]

    @cached_property
    def _all(self) -> Array:
        keypoints, matches = self._result.keypoints, self._result.matches
        points = np.concatenate([keypoints.points, matches.current_points, matches.reference_points])
        return ray_table(self._camera).rays(points)


def _cubics(camera: Camera, cell: Array) -> Array:
    """Return the coefficients (cells, 2, 12) of x and y in each cell; NaN where they are not exact enough."""
    across, down = _CELLS
    x, y = np.meshgrid(np.arange(across + 1) * cell[0] - _MARGIN, np.arange(down + 1) * cell[1] - _MARGIN)
    rays, slopes = camera.rays(np.column_stack([x.ravel(), y.ravel()]))
    nodes = np.concatenate([rays[:, :, None], slopes * cell], axis=2).reshape(down + 1, across + 1, 2, 3)
    corners = np.concatenate([nodes[j : down + j, i : across + i] for i, j in _CORNERS], axis=3)
    cubics = (corners @ _from_corners().T).reshape(-1, 2, len(_EXPONENTS))
    middles = np.column_stack([(x[:-1, :-1] + 0.5 * cell[0]).ravel(), (y[:-1, :-1] + 0.5 * cell[1]).ravel()])
    found = camera.project(cubics @ _monomials(np.array([0.5]), np.array([0.5]))[:, 0])
    with np.errstate(invalid="ignore"):
        good = np.abs(found - middles).max(axis=1) < _ALLOWED_PX
    cubics[~good] = np.nan
    return cubics


def _from_corners() -> Array:
    """Return the matrix (12, 12) from value, x and y derivative at each corner to the coefficients."""
    rows = []
    for x, y in _CORNERS:
        rows.append([x**a * y**b for a, b in _EXPONENTS])
        rows.append([a * x ** max(a - 1, 0) * y**b for a, b in _EXPONENTS])
        rows.append([b * x**a * y ** max(b - 1, 0) for a, b in _EXPONENTS])
    return np.asarray(np.linalg.inv(np.array(rows, np.float64)))


def _monomials(x: Array, y: Array) -> Array:
    """Return the monomials (12, N) at places x (N,) and y (N,) in a cell of edge 1."""
    xx, xy, yy = x * x, x * y, y * y
    return np.array((np.ones(len(x)), x, y, xx, xy, yy, xx * x, xx * y, x * yy, yy * y, xx * xy, yy * xy))
