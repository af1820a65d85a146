# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Notices that the camera has come to rest, from points that no longer move in the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.selection import MARGIN
from drcn_ros.odometry.types import Tracks
from drcn_ros.odometry.view import View

_FEWEST_POINTS = 20
_FEWEST_FRAMES = 3
_SHORTEST_NS = 150_000_000
# Mean of min(chi^2, 4) with two degrees of freedom: what the noise alone gives.
_RESTING = 2.0 * (1.0 - np.exp(-2.0))
_LIMIT = 4.0


class Stillness:
    """Compares each frame with the first one of a possible rest.

    The comparison is not with the frame before: slow motion is no rest, though two neighbours look alike.
    """

    def __init__(self) -> None:
        self._anchor: View | None = None
        self._frames = 0

    def clear(self) -> None:
        """Forget the possible rest."""
        self._anchor, self._frames = None, 0

    def add(self, view: View, noise_px: float) -> bool:
        """Return whether the camera has been at rest for a while, up to this view."""
        if self._anchor is None or not _unmoved(self._anchor, view, noise_px):
            self._anchor, self._frames = view, 0
            return False
        self._frames += 1
        return self._frames >= _FEWEST_FRAMES and view.stamp_ns - self._anchor.stamp_ns >= _SHORTEST_NS


def _unmoved(first: View, second: View, noise_px: float) -> bool:
    if len(first.points) < _FEWEST_POINTS:
        return False
    rows, columns = _shared(first.tracks, second.tracks)
    if len(rows) < _FEWEST_POINTS:
        return False
    shift = (second.points[columns] - first.points[rows]).astype(np.float64)
    squared = 0.5 * (shift**2).sum(axis=1) / noise_px**2
    return bool(np.minimum(squared, _LIMIT).mean() < _RESTING + MARGIN)


def _shared(first: Tracks, second: Tracks) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of both that have the same id."""
    order = np.argsort(first.ids)
    known = first.ids[order]
    place = np.minimum(np.searchsorted(known, second.ids), len(known) - 1)
    both = np.flatnonzero(known[place] == second.ids)
    return order[place[both]], both
