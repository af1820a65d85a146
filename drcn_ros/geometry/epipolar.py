# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The epipolar constraint in pixels: Sampson distance and its derivatives.

A pair of views is described by T_ref_cur = (R, t) with |t| = 1, so that X_ref = R X_cur + t and, for rays a
of the current and b of the reference camera, b . (t x R a) = 0.
"""

from __future__ import annotations

import math

import numpy as np

from drcn_ros.geometry.batched_algebra import dots, squared_length, times
from drcn_ros.geometry.ray_pairs import RayPairs
from drcn_ros.geometry.rotation import cross_matrix, rotation_matrix, tangent_basis
from drcn_ros.geometry.types import Array

# The matrices [e_k]x of the three axes: any [v]x is their sum weighted by v.
_AXES = np.stack([cross_matrix(axis) for axis in np.eye(3)])


def sampson(pairs: RayPairs, rotation: Array, translation: Array) -> Array:
    """Return the signed Sampson distances (N,), pixels.

    First-order distance of a match to the manifold of the exact ones (Sampson 1982; Hartley and Zisserman,
    section 11.4.3), by the noise of pixels instead of that of rays, so that lenses of any kind count alike.
    """
    return _sampson(pairs, cross_matrix(translation) @ rotation)[0]


def sampson_jacobian(pairs: RayPairs, rotation: Array, translation: Array) -> tuple[Array, Array]:
    """Return the Sampson distances (N,) and their derivatives (5, N).

    The five parameters are a rotation vector w and a tangent u: R' = exp(w) R, t' = t + B u, with B from
    `tangent_basis(t)`.
    """
    crossed = cross_matrix(translation)
    residuals, scale, gradient = _sampson(pairs, crossed @ rotation)
    # With r = b E a / scale, where scale depends on E by its gradients, the derivative by an element of E is
    # (b_i a_j - r / scale (h_i a_j + b_i g_j)) / scale, with h and g the gradients by pixels, back in rays.
    rays = pairs.rays / scale
    a, b = rays[:3], rays[3:]
    shrink = residuals / scale
    gradient *= shrink
    shortened = pairs.rays[3:].copy()
    shortened[:2] -= times(pairs.reference_pixel, gradient[2:])
    by_element = shortened[:, None] * a
    by_element[:, :2] -= b[:, None] * times(pairs.current_pixel, gradient[:2])
    # By rotation dE = [t]x [w]x R, by direction dE = [B u]x R.
    turns = (_AXES.reshape(9, 3) @ rotation).reshape(3, 3, 3)
    steps = np.empty((5, 3, 3))
    steps[:3] = (crossed @ turns.swapaxes(0, 1).reshape(3, 9)).reshape(3, 3, 3).swapaxes(0, 1)
    steps[3:] = (tangent_basis(translation).T @ turns.reshape(3, 9)).reshape(2, 3, 3)
    jacobian: Array = steps.reshape(5, 9) @ by_element.reshape(9, -1)
    return residuals, jacobian


def _sampson(pairs: RayPairs, essential: Array) -> tuple[Array, Array, Array]:
    """Return the distances (N,), what they were divided by (N,), and gradients by both pixels (4, N)."""
    lines = np.zeros((5, 6))
    lines[:2, 3:], lines[2:, :3] = essential.T[:2], essential
    along = lines @ pairs.rays
    gradient = np.empty((4, len(pairs)))
    gradient[:2] = times(pairs.current_pixel.swapaxes(0, 1), along[:2])
    gradient[2:] = times(pairs.reference_pixel.swapaxes(0, 1), along[2:4])
    scale = np.sqrt(squared_length(gradient) + 1e-24)
    residuals = dots(pairs.rays[3:], along[2:])
    residuals /= scale
    return residuals, scale, gradient


def moved(rotation: Array, translation: Array, step: Array) -> tuple[Array, Array]:
    """Return (R, t) after a step (5,) as in `sampson_jacobian`, with |t| = 1 again."""
    direction = translation + tangent_basis(translation) @ step[3:]
    return rotation_matrix(step[:3]) @ rotation, direction / math.sqrt(direction @ direction)
