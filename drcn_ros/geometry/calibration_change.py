# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""How far two calibrations of the same images disagree."""

from __future__ import annotations

import math

import numpy as np

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array

# Points along each side of the image.
_STEPS = 9


def largest_change_px(first: Camera, second: Camera) -> float:
    """Return by how many pixels the same ray moves at most along the image's rim, where lenses differ most.

    Infinite for images of different sizes, and where only one of the two has a ray.
    """
    if (first.width, first.height) != (second.width, second.height):
        return math.inf
    rim = _rim(first.width, first.height)
    rays = first.normalise(rim)
    known = np.isfinite(rays).all(axis=1)
    if not np.array_equal(known, np.isfinite(second.normalise(rim)).all(axis=1)):
        return math.inf
    if not known.any():
        return 0.0 if first == second else math.inf
    moved = np.linalg.norm(second.project(rays[known]) - rim[known], axis=1)
    return float(moved.max()) if np.isfinite(moved).all() else math.inf


def _rim(width: int, height: int) -> Array:
    """Return pixels (N, 2) along the four sides of an image, and its centre."""
    across, down = np.linspace(0.0, width - 1.0, _STEPS), np.linspace(0.0, height - 1.0, _STEPS)
    x, y = np.meshgrid(across, down)
    on_rim = (x == 0.0) | (x == width - 1.0) | (y == 0.0) | (y == height - 1.0)
    centre = [[0.5 * (width - 1), 0.5 * (height - 1)]]
    return np.concatenate([np.stack([x[on_rim], y[on_rim]], axis=1), centre])
