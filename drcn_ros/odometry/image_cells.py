# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The image cell by cell: whether what is seen there has followed the camera's motion."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Cells across the image; they are about square.
_ACROSS = 32
# What a match counts in the frame after, and so on: some ten frames are remembered.
_FADING = 0.9
# Weight of matches from which a cell is believed to have moved, or suspected to stand still.
_ENOUGH_MOVED, _ENOUGH_STOOD = 2.0, 3.0
# More weight is not remembered, or a change would take long to be seen.
_MOST = 5.0
# How many times more must have stood still than moved.
_CLEARLY = 3.0
# How long a cell is suspected until it is left out for good, nanoseconds; one that has moved before longer.
_FOR_GOOD_NS, _AFTER_MOTION_NS = 2_000_000_000, 4_000_000_000


class ImageCells:
    """Evidence for each cell of the image.

    Args:
        size: (width, height) of the images, pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        width, height = size
        shape = max(1, round(_ACROSS * height / width)), _ACROSS
        self._moved, self._stood = np.zeros(shape), np.zeros(shape)
        self._ever_moved = np.zeros(shape, bool)
        self._suspected = np.zeros(shape, bool)
        self._since_ns = np.zeros(shape, np.int64)
        self._left_out = np.zeros(shape, bool)

    @property
    def left_out(self) -> NDArray[np.bool_] | None:
        """Cells (rows, columns) that are left out for good, or None where there are none."""
        return self._left_out.copy() if self._left_out.any() else None

    def fits(self, size: tuple[int, int]) -> bool:
        """Return whether images of this size have the same shape."""
        (width, height), (other, tall) = self._size, size
        return abs(width * tall - height * other) <= max(width, height, other, tall)

    def are_suspected(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which points (N, 2) lie in cells that stand still, (N,)."""
        return self._at(self._suspected | self._left_out, points)

    def have_moved(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which points (N, 2) lie in cells that have followed the camera's motion before, (N,)."""
        return self._at(self._ever_moved & ~self._suspected & ~self._left_out, points)

    def add(self, stamp_ns: int, moved: NDArray[np.float32], stood: NDArray[np.float32]) -> None:
        """Take points of one frame, pixels: (N, 2) that followed the motion, (M, 2) that stood against it."""
        self._moved = np.minimum(_FADING * self._moved + self._count(moved), _MOST)
        self._stood = np.minimum(_FADING * self._stood + self._count(stood), _MOST)
        # What stands still is larger than a cell: one that has not moved shares its neighbours' evidence.
        around = _around(self._stood)
        stood = np.where(self._ever_moved, self._stood, around)
        stands = (stood >= _ENOUGH_STOOD) & (stood > _CLEARLY * self._moved)
        moves = (self._moved >= _ENOUGH_MOVED) & (self._moved > self._stood)
        # The same holds for what has gone away, as a robot's arm does.
        around_moved = _around(self._moved)
        moves |= self._left_out & (around_moved >= _ENOUGH_STOOD) & (around_moved > _CLEARLY * around)
        self._since_ns[stands & ~self._suspected] = stamp_ns
        # A cell without evidence keeps its state for as long as the evidence fades.
        faded = (stood < 1.0) & ~self._left_out
        self._suspected = (self._suspected | stands) & ~moves & ~faded
        self._left_out &= ~moves
        self._ever_moved |= moves
        waited = stamp_ns - self._since_ns
        needed = np.where(self._ever_moved, _AFTER_MOTION_NS, _FOR_GOOD_NS)
        self._left_out |= self._suspected & stands & (waited >= needed)
        self._fill()

    def _fill(self) -> None:
        """Leave out cells between those that are, unless something has moved there."""
        if self._left_out.any():
            closed = cv2.morphologyEx(
                self._left_out.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)
            )
            self._left_out |= closed.astype(bool) & (_around(self._moved) < 1.0)

    def _cells(self, points: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rows, columns = self._moved.shape
        width, height = self._size
        with np.errstate(invalid="ignore"):
            x = np.nan_to_num((points[:, 0] + 0.5) * (columns / width))
            y = np.nan_to_num((points[:, 1] + 0.5) * (rows / height))
        return (
            np.clip(y, 0, rows - 1).astype(np.int64),
            np.clip(x, 0, columns - 1).astype(np.int64),
        )

    def _at(self, cells: NDArray[np.bool_], points: NDArray[np.float32]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = cells[self._cells(points)]
        return found

    def _count(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        rows, columns = self._moved.shape
        y, x = self._cells(points)
        return np.bincount(y * columns + x, minlength=rows * columns).reshape(rows, columns).astype(float)


def _around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum over each cell and its eight neighbours."""
    return np.asarray(9.0 * cv2.blur(values, (3, 3), borderType=cv2.BORDER_REPLICATE))
