# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The epipolar constraint in pixels: Sampson distance, its derivatives, refinement and cheirality.

A pair of views is described by T_ref_cur = (R, t) with |t| = 1, so that X_ref = R X_cur + t and, for rays a
of the current and b of the reference camera, b . (t x R a) = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.rotation import cross_matrix, nearest_rotation, rotation_matrix, tangent_basis
from drcn_ros.geometry.types import Array


@dataclass(frozen=True)
class RayPairs:
    """Matches as rays, with what one pixel means at each of them.

    Attributes:
        current, reference: (N, 3) rays (x, y, 1) of both cameras.
        current_pixel, reference_pixel: (N, 2, 2) or (1, 2, 2), derivative of the ray's x and y by the pixel.
    """

    current: Array
    reference: Array
    current_pixel: Array
    reference_pixel: Array

    def __len__(self) -> int:
        return len(self.current)

    def take(self, rows: Array | slice | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> RayPairs:
        """Return the pairs that `rows` selects."""

        def part(pixel: Array) -> Array:
            return pixel if len(pixel) == 1 else pixel[rows]

        return RayPairs(
            self.current[rows], self.reference[rows], part(self.current_pixel), part(self.reference_pixel)
        )


def sampson(pairs: RayPairs, rotation: Array, translation: Array) -> Array:
    """Return the signed Sampson distances (N,), pixels.

    First-order distance of a match to the manifold of the exact ones (Sampson 1982; Hartley and Zisserman,
    section 11.4.3), by the noise of pixels instead of that of rays, so that lenses of any kind count alike.
    """
    return _sampson(pairs, rotation, translation)[0]


def sampson_jacobian(pairs: RayPairs, rotation: Array, translation: Array) -> tuple[Array, Array]:
    """Return the Sampson distances (N,) and their derivatives (N, 5).

    The five parameters are a rotation vector w and a tangent u: R' = exp(w) R, t' = t + B u, with B from
    `tangent_basis(t)`.
    """
    residuals, scale, weighted_current, weighted_reference = _sampson(pairs, rotation, translation)
    a, b = pairs.current, pairs.reference
    algebraic = residuals * scale
    inverse = 1.0 / scale
    outer = b[:, :, None] * (a * inverse[:, None])[:, None, :]
    factor = (algebraic * inverse**3)[:, None]
    outer[:, :, :2] -= b[:, :, None] * (factor * weighted_current)[:, None, :]
    outer[:, :2, :] -= (factor * weighted_reference)[:, :, None] * a[:, None, :]
    derivatives = np.empty((9, 5))
    cross = cross_matrix(translation)
    for axis in range(3):
        derivatives[:, axis] = (cross @ cross_matrix(np.eye(3)[axis]) @ rotation).ravel()
    basis = tangent_basis(translation)
    for axis in range(2):
        derivatives[:, 3 + axis] = (cross_matrix(basis[:, axis]) @ rotation).ravel()
    return residuals, outer.reshape(-1, 9) @ derivatives


def _sampson(pairs: RayPairs, rotation: Array, translation: Array) -> tuple[Array, Array, Array, Array]:
    essential = cross_matrix(translation) @ rotation
    a, b = pairs.current, pairs.reference
    gradient_b = a @ essential.T
    gradient_a = b @ essential[:, :2]
    algebraic = np.einsum("ni,ni->n", b, gradient_b)
    pixel_a = _transposed_times(pairs.current_pixel, gradient_a)
    pixel_b = _transposed_times(pairs.reference_pixel, gradient_b[:, :2])
    squared = np.einsum("ni,ni->n", pixel_a, pixel_a) + np.einsum("ni,ni->n", pixel_b, pixel_b)
    scale = np.sqrt(np.maximum(squared, 1e-24))
    return (
        algebraic / scale,
        scale,
        _times(pairs.current_pixel, pixel_a),
        _times(pairs.reference_pixel, pixel_b),
    )


def _times(matrices: Array, vectors: Array) -> Array:
    return matrices[:, :, 0] * vectors[:, :1] + matrices[:, :, 1] * vectors[:, 1:]


def _transposed_times(matrices: Array, vectors: Array) -> Array:
    return matrices[:, 0, :] * vectors[:, :1] + matrices[:, 1, :] * vectors[:, 1:]


def refine(
    pairs: RayPairs, rotation: Array, translation: Array, scale_px: float, iterations: int = 20
) -> tuple[Array, Array]:
    """Return (R, t) at the minimum of the Cauchy loss log(1 + (r / scale_px)^2) of the Sampson distances.

    Levenberg-Marquardt over the five degrees of freedom with the weights 1 / (1 + (r / scale_px)^2).
    """
    damping = 1e-4
    residuals, jacobian = sampson_jacobian(pairs, rotation, translation)
    cost = _cauchy(residuals, scale_px)
    for _ in range(iterations):
        weights = 1.0 / (1.0 + (residuals / scale_px) ** 2)
        weighted = jacobian * weights[:, None]
        hessian = weighted.T @ jacobian
        gradient = weighted.T @ residuals
        diagonal = np.diag(hessian).copy()
        improved = False
        for _ in range(6):
            damped = hessian + np.diag(damping * diagonal + 1e-12 * diagonal.max() + 1e-300)
            try:
                step = -np.linalg.solve(damped, gradient)
            except np.linalg.LinAlgError:
                return rotation, translation
            new_rotation, new_translation = moved(rotation, translation, step)
            new_cost = _cauchy(sampson(pairs, new_rotation, new_translation), scale_px)
            if new_cost < cost:
                improved = True
                break
            damping *= 10.0
        if not improved:
            break
        rotation, translation = new_rotation, new_translation
        damping = max(damping * 0.1, 1e-9)
        small = float(np.linalg.norm(step)) < 1e-7 or cost - new_cost < 1e-7 * cost
        cost = new_cost
        if small:
            break
        residuals, jacobian = sampson_jacobian(pairs, rotation, translation)
    return nearest_rotation(rotation), translation


def moved(rotation: Array, translation: Array, step: Array) -> tuple[Array, Array]:
    """Return (R, t) after a step (5,) as in `sampson_jacobian`, with |t| = 1 again."""
    direction = translation + tangent_basis(translation) @ step[3:]
    return rotation_matrix(step[:3]) @ rotation, direction / np.linalg.norm(direction)


def _cauchy(residuals: Array, scale_px: float) -> float:
    return float(np.log1p((residuals / scale_px) ** 2).sum())


def inverse_depths(pairs: RayPairs, rotation: Array, translation: Array) -> tuple[Array, Array]:
    """Return the inverse depths (N,) along the reference and the current rays (x, y, 1), in 1 / |t|.

    Zero is infinitely far, negative is behind the camera, and nothing is lost in between: both come from
    Z_ref b = Z_cur R a + t by eliminating the other depth, solved for 1 / Z in the least-squares sense.
    """
    turned = pairs.current @ rotation.T
    b = pairs.reference
    normal = np.cross(turned, b)
    by_reference = np.cross(turned, translation)
    by_current = np.cross(b, translation)
    return _ratio(by_reference, normal), _ratio(by_current, normal)


def _ratio(denominator: Array, numerator: Array) -> Array:
    squared = np.maximum(np.einsum("ni,ni->n", denominator, denominator), 1e-24)
    ratio: Array = np.einsum("ni,ni->n", denominator, numerator) / squared
    return ratio


def parallax(pairs: RayPairs, rotation: Array) -> Array:
    """Return the displacements (N, 2) in reference pixels that remain when the rotation is removed."""
    turned = pairs.current @ rotation.T
    depth = np.where(turned[:, 2] > 1e-6, turned[:, 2], np.nan)
    difference = pairs.reference[:, :2] - turned[:, :2] / depth[:, None]
    result: Array = np.linalg.solve(
        np.broadcast_to(pairs.reference_pixel, (len(pairs), 2, 2)), difference[:, :, None]
    )[:, :, 0]
    return result
