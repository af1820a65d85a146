# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The epipolar constraint in pixels: Sampson distance, its derivatives, refinement, parallax.

A pair of views is described by T_ref_cur = (R, t) with |t| = 1, so that X_ref = R X_cur + t and, for rays a
of the current and b of the reference camera, b . (t x R a) = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.robust import cauchy_weights, noise_scale
from drcn_ros.geometry.rotation import cross, cross_matrix, nearest_rotation, rotation_matrix, tangent_basis
from drcn_ros.geometry.types import Array

# A match farther from its epipolar line than this many times the noise is no inlier.
INLIER_SCALE = 3.0
# The noise is looked for between these, pixels: less is not credible, more is no match.
NOISE_RANGE = (0.05, 4.0)
# A point so many times nearer than four fifths of all is no part of the scene; judged from so many at least.
_NEAREST, _DEPTH_SAMPLE = 4.0, 20
_START_PX = 1.0
_ITERATIONS, _NOISE_ITERATIONS = 10, 3
# A step so much shorter than its own standard deviation ends the refinement.
_SMALL_STEP = 0.1
_DIAGONAL = np.diag_indices(5)


@dataclass(frozen=True)
class RayPairs:
    """Matches as rays, with what one pixel means at each of them; the last axis counts the matches.

    Attributes:
        current, reference: (3, N) rays (x, y, 1) of both cameras.
        current_pixel, reference_pixel: (2, 2, N) or (2, 2, 1), derivative [ray, pixel] of the ray's x and y.
    """

    current: Array
    reference: Array
    current_pixel: Array
    reference_pixel: Array

    def __len__(self) -> int:
        return int(self.current.shape[1])

    def take(self, rows: NDArray[Any]) -> RayPairs:
        """Return the pairs that `rows`, indices or a mask, selects."""
        index = np.flatnonzero(rows) if rows.dtype == bool else rows

        def part(values: Array) -> Array:
            # Unlike an index in brackets, `take` keeps the matches side by side in memory.
            return values if values.shape[-1] == 1 < len(self) else values.take(index, axis=-1)

        return RayPairs(
            part(self.current), part(self.reference), part(self.current_pixel), part(self.reference_pixel)
        )


@dataclass(frozen=True)
class EpipolarFit:
    """An essential matrix and the matches that agree with it.

    Attributes:
        rotation, translation: T_ref_cur with |t| = 1.
        noise_px: standard deviation of the inliers' Sampson distances.
        inliers: (N,) bool.
    """

    rotation: Array
    translation: Array
    noise_px: float
    inliers: NDArray[np.bool_]


def sampson(pairs: RayPairs, rotation: Array, translation: Array) -> Array:
    """Return the signed Sampson distances (N,), pixels.

    First-order distance of a match to the manifold of the exact ones (Sampson 1982; Hartley and Zisserman,
    section 11.4.3), by the noise of pixels instead of that of rays, so that lenses of any kind count alike.
    """
    return _sampson(pairs, rotation, translation)[0]


def sampson_jacobian(pairs: RayPairs, rotation: Array, translation: Array) -> tuple[Array, Array]:
    """Return the Sampson distances (N,) and their derivatives (5, N).

    The five parameters are a rotation vector w and a tangent u: R' = exp(w) R, t' = t + B u, with B from
    `tangent_basis(t)`.
    """
    residuals, scale, pixel_a, pixel_b = _sampson(pairs, rotation, translation)
    a, b = pairs.current, pairs.reference
    # r = f(b, a) / scale with f(b, a) = (R a) . (b x t), and scale depends on R and t by its gradients: the
    # derivative is that of f(b, first) - f(second, a) with what multiplies it held fixed.
    shrink = residuals / scale**2
    first = a / scale
    first[:2] -= _times(pairs.current_pixel, pixel_a) * shrink
    second = _times(pairs.reference_pixel, pixel_b) * shrink
    turned, turned_first = rotation @ a, rotation @ first
    normal = -cross_matrix(translation) @ b
    normal_second = -cross_matrix(translation)[:, :2] @ second
    jacobian = np.empty((5, len(pairs)))
    jacobian[:3] = cross(turned_first, normal) - cross(turned, normal_second)
    by_direction = cross(turned_first, b)
    by_direction[0] += turned[2] * second[1]
    by_direction[1] -= turned[2] * second[0]
    by_direction[2] -= turned[0] * second[1] - turned[1] * second[0]
    jacobian[3:] = tangent_basis(translation).T @ by_direction
    return residuals, jacobian


def _sampson(pairs: RayPairs, rotation: Array, translation: Array) -> tuple[Array, Array, Array, Array]:
    essential = cross_matrix(translation) @ rotation
    gradient_b = essential @ pairs.current
    gradient_a = essential.T[:2] @ pairs.reference
    b = pairs.reference
    algebraic = b[0] * gradient_b[0] + b[1] * gradient_b[1] + b[2] * gradient_b[2]
    pixel_a = _transposed_times(pairs.current_pixel, gradient_a)
    pixel_b = _transposed_times(pairs.reference_pixel, gradient_b)
    squared = pixel_a[0] ** 2 + pixel_a[1] ** 2 + pixel_b[0] ** 2 + pixel_b[1] ** 2
    scale = np.sqrt(np.maximum(squared, 1e-24))
    return algebraic / scale, scale, pixel_a, pixel_b


def _times(matrices: Array, vectors: Array) -> Array:
    product: Array = matrices[:, 0] * vectors[0] + matrices[:, 1] * vectors[1]
    return product


def _transposed_times(matrices: Array, vectors: Array) -> Array:
    product: Array = matrices[0] * vectors[0] + matrices[1] * vectors[1]
    return product


def moved(rotation: Array, translation: Array, step: Array) -> tuple[Array, Array]:
    """Return (R, t) after a step (5,) as in `sampson_jacobian`, with |t| = 1 again."""
    direction = translation + tangent_basis(translation) @ step[3:]
    return rotation_matrix(step[:3]) @ rotation, direction / np.linalg.norm(direction)


def polish(pairs: RayPairs, rotation: Array, translation: Array) -> EpipolarFit:
    """Return the fit of all matches next to a first pose.

    Gauss-Newton on the Sampson distances with Cauchy weights, over the matches within three times the noise
    whose depth is credible. The noise is estimated anew at each of the first steps, so no threshold
    in pixels remains. Without that cut, wrong matches that happen to lie near their epipolar lines pull the
    pose.
    """
    noise = _START_PX
    for iteration in range(_ITERATIONS):
        residuals, jacobian = sampson_jacobian(pairs, rotation, translation)
        settled = iteration >= _NOISE_ITERATIONS
        if not settled:
            credible = _credible_depth(pairs, rotation, translation, residuals, INLIER_SCALE * noise)
            noise = float(np.clip(noise_scale(residuals[credible], noise), *NOISE_RANGE))
        good = credible & (np.abs(residuals) < INLIER_SCALE * noise)
        weighted = jacobian * (good * cauchy_weights(residuals**2, noise))
        hessian = weighted @ jacobian.T
        # The damping keeps directions that the matches do not determine where they are.
        hessian[_DIAGONAL] += 1e-6 * hessian.trace() + 1e-12
        step = -np.linalg.solve(hessian, weighted @ residuals)
        longest = float(np.abs(step).max())
        rotation, translation = moved(rotation, translation, step * min(1.0, 0.3 / max(longest, 1e-12)))
        if settled and step @ hessian @ step < (_SMALL_STEP * noise) ** 2:
            break
    return _agreeing(pairs, nearest_rotation(rotation), translation, noise)


def extended(pairs: RayPairs, fit: EpipolarFit) -> EpipolarFit:
    """Return the fit with those inliers that it has among other pairs than it was made from."""
    return _agreeing(pairs, fit.rotation, fit.translation, fit.noise_px)


def _agreeing(pairs: RayPairs, rotation: Array, translation: Array, noise: float) -> EpipolarFit:
    residuals = sampson(pairs, rotation, translation)
    good = np.abs(residuals) < INLIER_SCALE * noise
    good &= _credible_depth(pairs, rotation, translation, residuals, INLIER_SCALE * noise)
    return EpipolarFit(rotation, translation, noise, good)


def _credible_depth(
    pairs: RayPairs, rotation: Array, translation: Array, residuals: Array, band_px: float
) -> NDArray[np.bool_]:
    """Return (N,) bool: in front of the cameras and not far nearer than the other points, or at infinity.

    A wrong match that happens to lie on its epipolar line has any parallax, and the larger it is, the more
    that match pulls the direction. Inverse depths beyond a few times those of the others give it away.
    """
    shift, along, length = parallax_along(pairs, rotation, translation)
    infinite = shift[0] ** 2 + shift[1] ** 2 < band_px**2
    inverse_depth = along / length
    credible = inverse_depth > 0.0
    sample = inverse_depth[credible & ~infinite & (np.abs(residuals) < band_px)]
    if len(sample) >= _DEPTH_SAMPLE:
        rank = int(0.8 * len(sample))
        credible &= inverse_depth < _NEAREST * np.partition(sample, rank)[rank]
    accepted: NDArray[np.bool_] = credible | infinite
    return accepted


def parallax(pairs: RayPairs, rotation: Array) -> Array:
    """Return the displacements (2, N) that remain when the rotation is removed, reference pixels.

    Rays that the rotation turns out of view have huge ones.
    """
    return to_pixels(pairs.reference_pixel, pairs.reference[:2] - _turned(pairs, rotation))


def parallax_along(pairs: RayPairs, rotation: Array, translation: Array) -> tuple[Array, Array, Array]:
    """Return `parallax` (2, N), its part (N,) along the epipolar line, and what inverse depth one would add.

    The part along the line is positive in front of the cameras; divided by the third (N,) it is the inverse
    depth in 1 / |t|, to first order.
    """
    plane = _turned(pairs, rotation)
    shift = to_pixels(pairs.reference_pixel, pairs.reference[:2] - plane)
    line = to_pixels(pairs.reference_pixel, translation[:2, None] - plane * translation[2])
    length = np.maximum(np.sqrt(line[0] ** 2 + line[1] ** 2), 1e-12)
    along: Array = (shift[0] * line[0] + shift[1] * line[1]) / length
    return shift, along, length


def _turned(pairs: RayPairs, rotation: Array) -> Array:
    """Return where the current rays cross the reference's plane z = 1, (2, N), without a translation."""
    turned = rotation @ pairs.current
    plane: Array = turned[:2] / np.maximum(turned[2], 1e-6)
    return plane


def to_pixels(pixel: Array, rays: Array) -> Array:
    """Return what differences of normalised coordinates (2, N) are in pixels."""
    (a, b), (c, d) = pixel
    x, y = rays
    pixels = np.empty_like(rays)
    pixels[0] = d * x - b * y
    pixels[1] = a * y - c * x
    pixels /= a * d - b * c
    return pixels
