# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Bundle adjustment of a few keyframes and landmarks that are an inverse depth along a ray of their host.

Levenberg and Marquardt with Cauchy weights. One number a landmark makes its elimination by the Schur
complement a division (Triggs et al., Bundle adjustment: a modern synthesis, 2000, section 6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.rotation import nearest_rotation, rotation_matrix
from drcn_ros.geometry.types import Array

# The cost of a squared residual s, in variances, is 2 ln(1 + s / 4).
_CAUCHY = 4.0
# What a landmark behind a camera costs, and where behind begins.
_BEHIND_COST, _BEHIND = 20.0, 1e-3
# Scale is the softest mode: stronger damping or an earlier end would hold it where a biased start put it.
_DAMPING, _TOLERANCE = 1e-6, 1e-6
_STEPS, _TRIES = 4, 4
# Observations farther from their place than this many deviations disagree.
_DISAGREES = 3.0
_FEWEST = 30


@dataclass(frozen=True)
class Observations:
    """Landmarks seen in keyframes, one row each.

    Attributes:
        landmark, keyframe: (M,) rows of both.
        rays: (M, 2) where, normalised coordinates.
        noise: (M,) standard deviations of the rays.
    """

    landmark: NDArray[np.int64]
    keyframe: NDArray[np.int64]
    rays: Array
    noise: Array


@dataclass(frozen=True)
class Bundle:
    """Keyframes and landmarks.

    Attributes:
        rotations, positions: (K, 3, 3) and (K, 3), poses T_start_keyframe.
        host: (L,) keyframe of each landmark.
        rays: (L, 3) of each landmark in its host, z = 1.
        inverse: (L,) inverse depths.
    """

    rotations: Array
    positions: Array
    host: NDArray[np.int64]
    rays: Array
    inverse: Array


@dataclass(frozen=True)
class Adjusted:
    """What an adjustment gave.

    Attributes:
        bundle: with new poses and depths.
        variance: (L,) of the inverse depths, infinite where no observation agrees.
        disagrees: (M,) which observations do not fit.
    """

    bundle: Bundle
    variance: Array
    disagrees: NDArray[np.bool_]


def adjust(bundle: Bundle, seen: Observations, free: NDArray[np.int64], steps: Array) -> Adjusted | None:
    """Return the bundle of least cost near this one, or None where too little is seen.

    Args:
        bundle: start.
        seen: observations of its landmarks.
        free: (F,) rows of the keyframes that may move; the others hold position, rotation and scale.
        steps: (F,) how far each free keyframe may move by itself, one standard deviation; keeps the scale of
            what shares too little with the rest.
    """
    if len(seen.landmark) < _FEWEST or not len(free):
        return None
    problem = _Problem(seen, free, 1.0 / steps**2, bundle.positions[free])
    damping, cost = _DAMPING, problem.cost(bundle)
    for _ in range(_STEPS):
        system = problem.linearised(bundle)
        for _ in range(_TRIES):
            trial = problem.moved(bundle, system, damping)
            reached = np.inf if trial is None else problem.cost(trial)
            if trial is not None and reached < cost:
                break
            damping *= 10.0
        else:
            break
        damping = max(damping / 10.0, 1e-9)
        settled = cost - reached < _TOLERANCE * cost
        bundle, cost = trial, reached
        if settled:
            break
    return problem.judged(bundle)


@dataclass(frozen=True)
class _System:
    """Normal equations, landmarks apart: poses, poses with landmarks, landmarks, and both gradients."""

    poses: Array
    mixed: Array
    landmarks: Array
    pose_gradient: Array
    landmark_gradient: Array


@dataclass(frozen=True)
class _Problem:
    seen: Observations
    free: NDArray[np.int64]
    hold: Array
    held: Array

    def cost(self, bundle: Bundle) -> float:
        _, point = self._points(bundle)
        squared = self._residuals(point)[1]
        cost = 0.5 * _CAUCHY * np.log1p(squared / _CAUCHY)
        cost[point[:, 2] < _BEHIND] = _BEHIND_COST
        moved = ((bundle.positions[self.free] - self.held) ** 2).sum(axis=1)
        return float(cost.sum() + 0.5 * self.hold @ moved)

    def linearised(self, bundle: Bundle) -> _System:
        seen = self.seen
        arm, point = self._points(bundle)
        residuals, squared = self._residuals(point)
        weights = 1.0 / (1.0 + squared / _CAUCHY)
        weights[point[:, 2] < _BEHIND] = 0.0
        project = self._projection(point)
        into = project @ bundle.rotations[seen.keyframe].transpose(0, 2, 1)
        host = bundle.host[seen.landmark]
        ray = np.einsum("nij,nj->ni", bundle.rotations[host], bundle.rays[seen.landmark])
        inverse = bundle.inverse[seen.landmark][:, None, None]
        # A pose turns about the axes of the start, R <- exp(w) R.
        of_host = np.concatenate([into @ -_cross_matrices(ray), into * inverse], axis=2)
        of_seer = np.concatenate([into @ _cross_matrices(arm), into * -inverse], axis=2)
        shift = bundle.positions[host] - bundle.positions[seen.keyframe]
        of_depth = np.einsum("nij,nj->ni", into, shift)
        return self._normal_equations(bundle, host, of_host, of_seer, of_depth, residuals, weights)

    def _normal_equations(
        self,
        bundle: Bundle,
        host: NDArray[np.int64],
        of_host: Array,
        of_seer: Array,
        of_depth: Array,
        residuals: Array,
        weights: Array,
    ) -> _System:
        count, landmarks = len(self.free), len(bundle.inverse)
        place = np.full(len(bundle.rotations), -1)
        place[self.free] = np.arange(count)
        sides = ((place[host], of_host), (place[self.seen.keyframe], of_seer))
        poses = np.zeros((count, count, 6, 6))
        gradient = np.zeros((count, 6))
        mixed = np.zeros((count, landmarks, 6))
        for row, left in sides:
            weighted = left * weights[:, None, None]
            used = np.flatnonzero(row >= 0)
            np.add.at(gradient, row[used], np.einsum("nki,nk->ni", weighted[used], residuals[used]))
            np.add.at(
                mixed,
                (row[used], self.seen.landmark[used]),
                np.einsum("nki,nk->ni", weighted[used], of_depth[used]),
            )
            for column, right in sides:
                both = np.flatnonzero((row >= 0) & (column >= 0))
                products = weighted[both].transpose(0, 2, 1) @ right[both]
                np.add.at(poses, (row[both], column[both]), products)
        for index in range(count):
            poses[index, index, 3:, 3:] += np.eye(3) * self.hold[index]
        gradient[:, 3:] += self.hold[:, None] * (bundle.positions[self.free] - self.held)
        of_landmarks = np.bincount(self.seen.landmark, weights * (of_depth**2).sum(axis=1), landmarks).astype(
            np.float64
        )
        landmark_gradient = np.bincount(
            self.seen.landmark, weights * (of_depth * residuals).sum(axis=1), landmarks
        ).astype(np.float64)
        return _System(
            poses.transpose(0, 2, 1, 3).reshape(6 * count, 6 * count),
            mixed.transpose(0, 2, 1).reshape(6 * count, landmarks),
            of_landmarks,
            gradient.reshape(-1),
            landmark_gradient,
        )

    def moved(self, bundle: Bundle, system: _System, damping: float) -> Bundle | None:
        divisor = system.landmarks * (1.0 + damping) + 1e-12
        poses = system.poses + damping * np.diag(np.diag(system.poses))
        eliminated = system.mixed / divisor
        reduced = poses - eliminated @ system.mixed.T
        reduced += 1e-9 * np.diag(np.diag(reduced))
        gradient = system.pose_gradient - eliminated @ system.landmark_gradient
        rotations, positions = bundle.rotations.copy(), bundle.positions.copy()
        # Both the solution and the decomposition of a rotation may not converge: then this is no step.
        try:
            step = -np.linalg.solve(reduced, gradient)
            depths = -(system.landmark_gradient + system.mixed.T @ step) / divisor
            if not (np.isfinite(step).all() and np.isfinite(depths).all()):
                return None
            for keyframe, change in zip(self.free, step.reshape(-1, 6), strict=True):
                rotations[keyframe] = nearest_rotation(rotation_matrix(change[:3]) @ rotations[keyframe])
                positions[keyframe] += change[3:]
        except np.linalg.LinAlgError:
            return None
        inverse = np.maximum(bundle.inverse + depths, 1e-6)
        return Bundle(rotations, positions, bundle.host, bundle.rays, inverse)

    def judged(self, bundle: Bundle) -> Adjusted:
        seen = self.seen
        _, point = self._points(bundle)
        _, squared = self._residuals(point)
        disagrees = (squared > _DISAGREES**2) | (point[:, 2] < _BEHIND)
        into = self._projection(point) @ bundle.rotations[seen.keyframe].transpose(0, 2, 1)
        shift = bundle.positions[bundle.host[seen.landmark]] - bundle.positions[seen.keyframe]
        of_depth = np.einsum("nij,nj->ni", into, shift)
        information = np.bincount(seen.landmark, (of_depth**2).sum(axis=1) * ~disagrees, len(bundle.inverse))
        with np.errstate(divide="ignore"):
            variance = 1.0 / information
        return Adjusted(bundle, variance, disagrees)

    def _points(self, bundle: Bundle) -> tuple[Array, Array]:
        """Return each observed landmark times its inverse depth: from the camera, and in its axes."""
        seen = self.seen
        host = bundle.host[seen.landmark]
        arm = np.einsum("nij,nj->ni", bundle.rotations[host], bundle.rays[seen.landmark])
        shift = bundle.positions[host] - bundle.positions[seen.keyframe]
        arm += bundle.inverse[seen.landmark, None] * shift
        return arm, np.einsum("nji,nj->ni", bundle.rotations[seen.keyframe], arm)

    def _residuals(self, point: Array) -> tuple[Array, Array]:
        depth = np.maximum(point[:, 2:], _BEHIND)
        residuals = (point[:, :2] / depth - self.seen.rays) / self.seen.noise[:, None]
        return residuals, (residuals**2).sum(axis=1)

    def _projection(self, point: Array) -> Array:
        nearness = 1.0 / np.maximum(point[:, 2], _BEHIND)
        project = np.zeros((len(point), 2, 3))
        project[:, 0, 0] = project[:, 1, 1] = nearness
        project[:, :, 2] = -point[:, :2] * (nearness**2)[:, None]
        return project / self.seen.noise[:, None, None]


def _cross_matrices(vectors: Array) -> Array:
    matrices = np.zeros((len(vectors), 3, 3))
    x, y, z = vectors.T
    matrices[:, 0, 1], matrices[:, 0, 2] = -z, y
    matrices[:, 1, 0], matrices[:, 1, 2] = z, -x
    matrices[:, 2, 0], matrices[:, 2, 1] = -y, x
    return matrices
