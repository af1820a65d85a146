# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Paths along the lines between places on the floor, rounded at each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drcn_ros.geometry.types import Array
from drcn_ros.scenes.paths import Path, looking

_STEP = 0.01
# Length over which the way is rounded, and then the heading, metres.
_ROUNDING, _TURNING = 0.8, 0.6


def walk(places: Sequence[tuple[float, float]], speed: float, height: float, *, inward: float = 0.0) -> Path:
    """Return the path of a camera carried from place to place, looking ahead; it stands at the end.

    Args:
        places: (x, y), metres, world.
        speed: m/s.
        height: of the camera, metres.
        inward: how far it looks to the left of its way, radians.
    """
    points = _evenly(np.array(places, np.float64))
    points = _evenly(_smooth(points, _ROUNDING))
    steps = np.gradient(points, axis=0)
    heading = _smooth(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))[:, None], _TURNING)[:, 0]
    along = _STEP * np.arange(len(points))

    def path(time: float) -> Array:
        way = min(speed * time, along[-1])
        x, y, yaw = (np.interp(way, along, values) for values in (points[:, 0], points[:, 1], heading))
        sway = 0.01 * np.sin(2 * np.pi * np.array([0.9, 1.3, 0.7]) * time)
        return looking((x, y, height + sway[0]), yaw + inward, 0.5 * sway[1], 0.5 * sway[2])

    return path


def _evenly(points: Array) -> Array:
    """Return points (N, 2) at equal distances along a line."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    wanted = np.arange(0.0, along[-1], _STEP)
    return np.stack([np.interp(wanted, along, points[:, axis]) for axis in (0, 1)], axis=1)


def _smooth(values: Array, length: float) -> Array:
    """Return the mean (N, K) over a length around each row; the ends are repeated."""
    half = max(1, round(0.5 * length / _STEP))
    padded = np.concatenate([np.repeat(values[:1], half, 0), values, np.repeat(values[-1:], half, 0)])
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(padded, axis=0)])
    mean: Array = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    return mean
