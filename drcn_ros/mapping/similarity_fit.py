# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The similarity between two keyframes from matches whose depths are known in one or both of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.robust import cauchy_weights
from drcn_ros.geometry.rotation import nearest_rotation, rotation_matrix
from drcn_ros.geometry.similarity import Similarity
from drcn_ros.geometry.types import Array

_STEPS = 12
_CAUCHY = 2.0
_BEHIND = 1e-4
_LONGEST = 50.0


@dataclass(frozen=True)
class SeenPoints:
    """Points of one camera as the other one sees them.

    Attributes:
        points: (N, 3) in the axes and unit of the camera that knows their depths.
        relative: (N,) standard deviations of the depths over the depths.
        seen: (N, 2) normalised coordinates in the other camera.
    """

    points: Array
    relative: Array
    seen: Array

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class SharedDepths:
    """Points whose depths both cameras know.

    Attributes:
        points: (N, 3) in the axes and unit of the second camera.
        depths: (N,) in the first camera and its unit.
        deviations: (N,) standard deviations of the logarithm of both depths' ratio.
    """

    points: Array
    depths: Array
    deviations: Array


@dataclass(frozen=True)
class SimilarityFit:
    """A similarity and how well it fits.

    Attributes:
        similarity: S_first_second.
        covariance: (7, 7) of translation, rotation about the first camera's axes, logarithm of the scale.
        errors: residuals of both kinds of projections in deviations, (N,) and (M,).
    """

    similarity: Similarity
    covariance: Array
    errors: tuple[Array, Array]


def fit_similarity(
    start: Similarity, of_first: SeenPoints, of_second: SeenPoints, shared: SharedDepths, noise: float
) -> SimilarityFit | None:
    """Return the similarity of least robust cost near a start, or None where it is not determined.

    Points whose depth the first camera knows tell rotation and translation in its unit, those whose depth the
    second one knows tell the ratio of the way to their depth. Depths that both know tell the scale, which
    nothing else does where both cameras are at one place. The variance of a projection is that of the
    keypoint plus that which the depth's uncertainty makes of it.

    Args:
        start: S_first_second.
        of_first: points of the first camera, seen by the second.
        of_second: points of the second camera, seen by the first.
        shared: points that both know.
        noise: standard deviation of a keypoint in normalised coordinates.
    """
    place = start
    for _ in range(_STEPS):
        errors, jacobians = _residuals(place, of_first, of_second, shared, noise)
        hessian, gradient = np.zeros((7, 7)), np.zeros(7)
        for error, jacobian in zip(errors, jacobians, strict=True):
            weights = cauchy_weights((error**2).sum(axis=1), _CAUCHY)
            weighted = jacobian * weights[:, None, None]
            hessian += np.einsum("nki,nkj->ij", weighted, jacobian)
            gradient += np.einsum("nki,nk->i", weighted, error)
        hessian += 1e-9 * np.diag(np.diag(hessian) + 1e-12)
        try:
            step: Array = -np.asarray(np.linalg.solve(hessian, gradient), np.float64)
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(step).all() or np.abs(step[3:]).max() > 1.5:
            return None
        place = Similarity(
            nearest_rotation(rotation_matrix(step[3:6]) @ place.rotation),
            place.translation + step[:3],
            place.scale * float(np.exp(step[6])),
        )
        if step @ hessian @ step < 1e-4:
            break
    errors, _ = _residuals(place, of_first, of_second, shared, noise)
    values = np.linalg.eigvalsh(hessian)
    if not values[0] > 1e-12 * values[-1]:
        return None
    covariance: Array = np.asarray(np.linalg.inv(hessian), np.float64)
    sizes = tuple(np.linalg.norm(error, axis=1) for error in errors)
    return SimilarityFit(place, covariance, (sizes[0], sizes[1]))


def _residuals(
    place: Similarity, of_first: SeenPoints, of_second: SeenPoints, shared: SharedDepths, noise: float
) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
    """Return residuals (N, K) in deviations and derivatives (N, K, 7) by (d, r, l), for the three kinds.

    The similarity is disturbed as t + d, Exp(r) R, e^l s.
    """
    back = place.rotation.T
    # X_second = R' (X_first - t) / s; its projection knows nothing of s.
    inside = (of_first.points - place.translation) @ place.rotation
    turn = back @ _cross_matrices(of_first.points - place.translation)
    by_place = np.zeros((len(of_first), 3, 7))
    by_place[:, :, :3] = -back
    by_place[:, :, 3:6] = turn
    slide = of_first.points @ place.rotation * of_first.relative[:, None]
    one = _whitened(inside, by_place, slide, of_first.seen, noise)
    # X_first = s R X_second + t.
    moved, by_place = _moved(place, of_second.points)
    two = _whitened(
        moved + place.translation, by_place, moved * of_second.relative[:, None], of_second.seen, noise
    )
    there, by_place = _moved(place, shared.points)
    depth = there[:, 2] + place.translation[2]
    ahead = depth > _BEHIND
    depth = np.where(ahead, depth, 1.0)
    ratio = np.where(ahead, np.log(depth / shared.depths), _LONGEST) / shared.deviations
    slope = by_place[:, 2:3] / (depth * shared.deviations)[:, None, None]
    slope[~ahead] = 0.0
    three = np.clip(ratio, -_LONGEST, _LONGEST)[:, None], slope
    return (one[0], two[0], three[0]), (one[1], two[1], three[1])


def _moved(place: Similarity, points: Array) -> tuple[Array, Array]:
    """Return points (N, 3) of the second camera turned and scaled, and how their places change (N, 3, 7)."""
    moved = place.scale * points @ place.rotation.T
    by_place = np.zeros((len(points), 3, 7))
    by_place[:, :, :3] = np.eye(3)
    by_place[:, :, 3:6] = -_cross_matrices(moved)
    by_place[:, :, 6] = moved
    return moved, by_place


def _cross_matrices(vectors: Array) -> Array:
    """Return the (N, 3, 3) matrices of the cross product with vectors (N, 3)."""
    result = np.zeros((len(vectors), 3, 3))
    x, y, z = vectors.T
    result[:, 0, 1], result[:, 0, 2], result[:, 1, 2] = -z, y, -x
    result[:, 1, 0], result[:, 2, 0], result[:, 2, 1] = z, -y, x
    return result


def _whitened(points: Array, by_place: Array, slide: Array, seen: Array, noise: float) -> tuple[Array, Array]:
    """Return residuals in deviations of projected points (N, 3), and their derivatives.

    Args:
        points: in the camera that sees them.
        by_place: (N, 3, 7) their derivatives.
        slide: (N, 3) how they move by one deviation of their depth.
        seen: (N, 2) where they are seen.
        noise: deviation of that.
    """
    behind = points[:, 2] <= _BEHIND
    depth = np.where(behind, 1.0, points[:, 2])
    plane = points[:, :2] / depth[:, None]
    project = np.zeros((len(points), 2, 3))
    project[:, 0, 0] = project[:, 1, 1] = 1.0 / depth
    project[:, :, 2] = -plane / depth[:, None]
    project[behind] = 0.0
    along = np.einsum("nij,nj->ni", project, slide)
    a, b, c = noise**2 + along[:, 0] ** 2, along[:, 0] * along[:, 1], noise**2 + along[:, 1] ** 2
    first, second = 1.0 / np.sqrt(a), 1.0 / np.sqrt(c - b**2 / a)
    whiten = np.zeros((len(points), 2, 2))
    whiten[:, 0, 0], whiten[:, 1, 0], whiten[:, 1, 1] = first, -b / a * second, second
    errors = np.clip(np.einsum("nij,nj->ni", whiten, plane - seen), -_LONGEST, _LONGEST)
    errors[behind] = _LONGEST
    return errors, whiten @ project @ by_place
