# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The ground plane below the camera, from points of known depth."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.types import Array

_SAMPLES = 100
# A plane is level when its normal lies within this angle of the vertical, radians.
_LEVEL = np.radians(12.0)
# Points belong to the ground within this part of its distance below the camera.
_TOLERANCE = 0.04
_FEWEST, _LEAST_PART = 15, 0.15


def ground_height(points: Array, pitch: float, seed: int = 0) -> float | None:
    """Return the distance of the camera from the ground, in the unit of the points; None if none is seen.

    The level plane with most points on it among random samples of three, and no ceiling or table: it must lie
    below the camera, with next to no points below it.

    Args:
        points: (N, 3) in the optical frame.
        pitch: how far the optical axis points below the horizon, radians.
        seed: of the samples.
    """
    down = np.array([0.0, np.cos(pitch), np.sin(pitch)])
    below = points[points @ down > 0.0]
    if len(below) < _FEWEST:
        return None
    rng = np.random.default_rng(seed)
    a, b, c = below[rng.integers(0, len(below), (3, _SAMPLES))]
    normals = np.cross(b - a, c - a)
    lengths = np.linalg.norm(normals, axis=1)
    normals = normals[lengths > 1e-12] / lengths[lengths > 1e-12, None]
    anchors = a[lengths > 1e-12]
    normals *= np.sign(normals @ down)[:, None]
    heights = np.einsum("ni,ni->n", normals, anchors)
    level = (normals @ down > np.cos(_LEVEL)) & (heights > 0.0)
    if not level.any():
        return None
    normals, heights = normals[level], heights[level]
    offsets = below @ normals.T - heights
    on_plane = (np.abs(offsets) < _TOLERANCE * heights).sum(axis=0)
    beneath = (offsets > 2.0 * _TOLERANCE * heights).sum(axis=0)
    votes = np.where(beneath > 0.1 * on_plane, 0, on_plane)
    best = int(np.argmax(votes))
    if votes[best] < max(_FEWEST, _LEAST_PART * len(points)):
        return None
    members = below[np.abs(offsets[:, best]) < _TOLERANCE * heights[best]]
    centre = members.mean(axis=0)
    normal = np.linalg.svd(members - centre, full_matrices=False)[2][2]
    return float(abs(normal @ centre))
