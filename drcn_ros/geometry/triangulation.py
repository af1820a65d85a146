# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Points from two rays each."""

from __future__ import annotations

import numpy as np

from drcn_ros.geometry.types import Array


def triangulate(reference: Array, current: Array, rotation: Array, translation: Array) -> tuple[Array, Array]:
    """Return the points that pairs of rays meet in, and the angles at which they meet.

    The point lies on the reference ray. Its depth solves Z_ref b = Z_cur R a + t in the least-squares sense
    after the other depth has been eliminated by the cross product with R a.

    Args:
        reference, current: (N, 2) normalised coordinates.
        rotation, translation: T_ref_cur; the points have the translation's unit.

    Returns:
        (N, 3) points in the reference camera, NaN where the rays meet behind a camera or nowhere, and
        (N,) angles in radians.
    """
    ones = np.ones((len(reference), 1))
    b = np.hstack([reference, ones])
    turned = np.hstack([current, ones]) @ rotation.T
    normal = np.cross(turned, b)
    squared = (normal**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = (np.cross(turned, translation) * normal).sum(axis=1) / squared
        other = (np.cross(b, translation) * normal).sum(axis=1) / squared
    behind = ~((depth > 0.0) & (other > 0.0) & np.isfinite(depth))
    points = b * np.where(behind, np.nan, depth)[:, None]
    angles = np.arctan2(np.sqrt(squared), (turned * b).sum(axis=1))
    return points, angles
