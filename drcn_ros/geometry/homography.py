# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Two views of one plane."""

from __future__ import annotations

import math

import cv2
import numpy as np

from drcn_ros.geometry.batched_algebra import squared_length, times
from drcn_ros.geometry.ray_pairs import RayPairs
from drcn_ros.geometry.robust import INLIER_SCALE, cauchy_weights, median
from drcn_ros.geometry.types import Array

_ITERATIONS = 5
# Residuals so many times the noise, in the median, come from no plane.
_NOT_PLANAR = 8.0
# Part of the points that must lie in front of the camera in a credible solution.
_IN_FRONT = 0.95


def fit_homography(pairs: RayPairs, noise_px: float) -> tuple[Array, Array] | None:
    """Return H (3, 3) with b ~ H a and its squared residuals (N,), pixels^2; None where none fits.

    Direct linear transform, repeated with the weights of the last residuals. It starts from all matches, so
    it finds a plane on which nearly all of them lie, and no other: only that one makes a pose ambiguous.
    """
    equations = _equations(pairs)
    weights = np.ones(len(pairs))
    squared = np.full(len(pairs), np.inf)
    homography = np.eye(3)
    for _ in range(_ITERATIONS):
        weighted = (equations * weights).reshape(9, -1)
        normal = weighted @ equations.reshape(9, -1).T
        if not np.isfinite(normal).all():
            return None
        homography = _in_front(np.linalg.eigh(normal)[1][:, 0].reshape(3, 3), pairs)
        squared = homography_residuals(pairs, homography)
        scale = max(noise_px, math.sqrt(median(squared) / 1.386))
        if scale > _NOT_PLANAR * noise_px:
            return None
        weights = cauchy_weights(squared, scale) * (squared < (2.0 * INLIER_SCALE * scale) ** 2)
    # Scaled so that the middle singular value is one.
    middle = float(np.linalg.svd(homography, compute_uv=False)[1])
    return None if middle < 1e-9 else (homography / middle, squared)


def homography_residuals(pairs: RayPairs, homography: Array) -> Array:
    """Return the squared distances (N,) of both points to their exact place, halved, pixels^2.

    Half of them, as a rotation has it: the noise of one point, since both points of a match are noisy.
    """
    mapped = homography @ pairs.current
    with np.errstate(all="ignore"):
        pixels = times(pairs.to_pixel, pairs.rays[3:5] - mapped[:2] / mapped[2])
        squared: Array = 0.5 * squared_length(pixels)
    squared[~(mapped[2] > 0.0) | ~np.isfinite(squared)] = 1e12
    return squared


def _equations(pairs: RayPairs) -> Array:
    """Return (9, 2, N): the two linear equations that each match makes for the elements of H."""
    a, b = pairs.current, pairs.reference
    equations = np.zeros((9, 2, len(pairs)))
    equations[:3, 0] = equations[3:6, 1] = -a
    equations[6:] = a[:, None] * b[:2]
    return equations


def _in_front(homography: Array, pairs: RayPairs) -> Array:
    """Return the homography with the sign that keeps points in front of the camera."""
    ahead = homography[2] @ pairs.current > 0.0
    return homography if 2 * int(ahead.sum()) >= len(pairs) else -homography


def decompose(homography: Array, pairs: RayPairs) -> list[tuple[Array, Array]]:
    """Return the poses (R, t), |t| = 1, that the plane allows: those with all points in front, one or two.

    From the four solutions of Malis and Vargas (2007); b ~ (R + t n') a with the plane n' X = 1.
    """
    count, rotations, translations, normals = cv2.decomposeHomographyMat(homography, np.eye(3))
    found: list[tuple[Array, Array]] = []
    for index in range(count):
        rotation = np.asarray(rotations[index], np.float64)
        translation = np.asarray(translations[index], np.float64).ravel()
        normal = np.asarray(normals[index], np.float64).ravel()
        length = float(np.linalg.norm(translation))
        # Written so that solutions which are no numbers are left out too.
        if not length > 1e-9 or np.linalg.det(rotation) < 0.0:
            continue
        if (normal @ pairs.current > 0.0).mean() > _IN_FRONT:
            found.append((rotation, translation / length))
    return found
