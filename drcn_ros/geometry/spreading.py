# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A choice of matches that covers the image evenly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Cells across and down, how many points are taken, and how many of a cell where they are few.
_ACROSS, _DOWN = 10, 8
_MOST, _MOST_IN_CELL = 160, 5
_GRID = np.array([[_ACROSS], [_DOWN]])


def evenly_spread(points: NDArray[Any]) -> NDArray[np.int64]:
    """Return rows of points (2 or more, N), best first: the best few of each cell of a grid.

    The best one of each cell comes first, then the second ones: what looks alike in both images because it
    moves with the camera has the best scores, and progressive sampling would hardly draw anything else.
    """
    points = points[:2]
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    column, row = ((points - low) * (_GRID / np.maximum(high - low, 1e-9))).astype(np.int64)
    # The highest coordinates come to lie in a row and a column of their own, which belong to the last ones.
    place = np.minimum(column, _ACROSS - 1) * _DOWN + np.minimum(row, _DOWN - 1)
    order = np.argsort(place, kind="stable")
    cell = place[order]
    rank = np.arange(len(cell)) - np.searchsorted(cell, cell)
    chosen = rank < _MOST_IN_CELL
    by_rank = np.sort((rank * len(cell) + order)[chosen])
    rows: NDArray[np.int64] = by_rank[:_MOST] % len(cell)
    return rows
