# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The pose of a frame from landmarks, each with what is known of its depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drcn_ros.geometry.robust import INLIER_SCALE
from drcn_ros.geometry.rotation import nearest_rotation, rotation_matrix, rotation_vector
from drcn_ros.geometry.types import Array

# Steps to the end, and those after which starts are compared.
_STEPS, TRIAL_STEPS = 8, 3
_CAUCHY = 4.0
# Residuals are cut here, pixels, and a point behind the camera counts as so far away.
_LONGEST, _BEHIND_PX = 100.0, 50.0
_BEHIND = 1e-4


@dataclass(frozen=True)
class SeenLandmarks:
    """Landmarks and where a frame sees them.

    Attributes:
        points: (N, 3) in the axes of the start.
        origins: (N, 3) cameras that their depths are measured from.
        relative: (N,) standard deviations of their depths, over the depths.
        rays: (N, 2) where the frame sees them, normalised coordinates.
        noise: (N,) standard deviations of these, pixels.
    """

    points: Array
    origins: Array
    relative: Array
    rays: Array
    noise: Array

    def __len__(self) -> int:
        return len(self.points)

    def joined(self, more: SeenLandmarks) -> SeenLandmarks:
        """Return these landmarks and, after them, more."""
        return SeenLandmarks(
            np.concatenate([self.points, more.points]),
            np.concatenate([self.origins, more.origins]),
            np.concatenate([self.relative, more.relative]),
            np.concatenate([self.rays, more.rays]),
            np.concatenate([self.noise, more.noise]),
        )


@dataclass(frozen=True)
class MapPose:
    """A pose and how well it fits.

    Attributes:
        rotation, position: T_start_frame.
        covariance: (6, 6) of rotation, then translation, about the frame's own axes.
        cost: robust cost of all landmarks.
        agree: how many landmarks lie within three deviations.
    """

    rotation: Array
    position: Array
    covariance: Array
    cost: float
    agree: int


def pose_from_landmarks(
    start: tuple[Array, Array],
    seen: SeenLandmarks,
    focal: float,
    turned: tuple[Array, Array] | None,
    steps: int = _STEPS,
) -> MapPose:
    """Return the pose of least robust cost near a start.

    The variance of a projection is that of the match plus that which the depth's uncertainty makes of it, so
    that no landmark must be chosen by an estimated depth, which would choose those estimated too near.

    Args:
        start: (R, t) of T_start_frame.
        seen: landmarks.
        focal: pixels.
        turned: a rotation (3, 3) known otherwise and its information (3, 3) about its own axes, or None.
        steps: at most.
    """
    rotation, position = start
    hessian = np.eye(6)
    for _ in range(steps):
        residuals, jacobian = _whitened(rotation, position, seen, focal)
        weights = 1.0 / (1.0 + (residuals**2).sum(axis=1) / _CAUCHY)
        weighted = jacobian * weights[:, None, None]
        hessian = np.einsum("nki,nkj->ij", weighted, jacobian)
        gradient = np.einsum("nki,nk->i", weighted, residuals)
        if turned is not None:
            off = rotation_vector(turned[0].T @ rotation)
            hessian[:3, :3] += turned[1]
            gradient[:3] += turned[1] @ off
        hessian += 1e-9 * np.diag(np.diag(hessian) + 1e-12)
        try:
            step = -np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(step).all():
            break
        position = position + rotation @ step[3:]
        rotation = rotation @ rotation_matrix(step[:3])
        if np.abs(step[:3]).max() < 1e-6 and step @ hessian @ step < 1e-4:
            break
    rotation = nearest_rotation(rotation)
    residuals, _ = _whitened(rotation, position, seen, focal)
    squared = (residuals**2).sum(axis=1)
    try:
        covariance: Array = np.asarray(np.linalg.inv(hessian), np.float64)
    except np.linalg.LinAlgError:
        covariance = np.full((6, 6), np.inf)
    return MapPose(
        rotation,
        position,
        covariance,
        float(np.log1p(squared / _CAUCHY).sum()),
        int((squared < INLIER_SCALE**2).sum()),
    )


def _whitened(rotation: Array, position: Array, seen: SeenLandmarks, focal: float) -> tuple[Array, Array]:
    """Return the residuals (N, 2) in deviations and their derivatives (N, 2, 6) by rotation and position."""
    point = (seen.points - position) @ rotation
    behind = point[:, 2] <= _BEHIND
    depth = np.where(behind, 1.0, point[:, 2])
    plane = point[:, :2] / depth[:, None]
    residuals = np.clip((plane - seen.rays) * focal, -_LONGEST, _LONGEST)
    residuals[behind] = _BEHIND_PX
    project = np.zeros((len(point), 2, 3))
    project[:, 0, 0] = project[:, 1, 1] = focal / depth
    project[:, :, 2] = -plane * (focal / depth)[:, None]
    project[behind] = 0.0
    along = ((seen.points - seen.origins) @ rotation) * seen.relative[:, None]
    slide = np.clip(np.einsum("nij,nj->ni", project, along), -_LONGEST, _LONGEST)
    slide[behind] = 0.0
    # The inverse of the Cholesky factor of noise^2 + slide slide', written out.
    a = seen.noise**2 + slide[:, 0] ** 2
    b = slide[:, 0] * slide[:, 1]
    c = seen.noise**2 + slide[:, 1] ** 2
    first = 1.0 / np.sqrt(a)
    second = 1.0 / np.sqrt(c - b**2 / a)
    whiten = np.zeros((len(point), 2, 2))
    whiten[:, 0, 0] = first
    whiten[:, 1, 0] = -b / a * second
    whiten[:, 1, 1] = second
    x, y, z = point.T
    turn = np.zeros((len(point), 3, 3))
    turn[:, 0, 1], turn[:, 0, 2] = -z, y
    turn[:, 1, 0], turn[:, 1, 2] = z, -x
    turn[:, 2, 0], turn[:, 2, 1] = -y, x
    jacobian = np.concatenate([project @ turn, -project], axis=2)
    return np.einsum("nij,nj->ni", whiten, residuals), whiten @ jacobian


def pose_matrix(rotation: Array, position: Array) -> Array:
    """Return the (4, 4) matrix of a rotation (3, 3) and a position (3,)."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, position
    return pose
