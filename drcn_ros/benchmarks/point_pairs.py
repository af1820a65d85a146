# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matches of two views of random points with exact truth: what geometry is judged by, without any image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import Array

CAMERA = Camera(640, 480, 480.0, 480.0, 319.5, 239.5)

# Nearest and farthest point of a scene, in metres, and the side of the grid of the smooth noise.
_NEAR, _FAR = 1.5, 15.0
_GRID = 4


@dataclass(frozen=True)
class PointPair:
    """One pair of views.

    Attributes:
        reference_points, current_points: (M, 2) pixels, best score first.
        scores: (M,) descending; wrong matches tend to have lower ones.
        correct: (M,) bool.
        rotation, translation: the true T_ref_cur, metres.
    """

    reference_points: Array
    current_points: Array
    scores: Array
    correct: NDArray[np.bool_]
    rotation: Array
    translation: Array


@dataclass(frozen=True)
class Disturbance:
    """What is wrong with the matches.

    Attributes:
        noise_px: standard deviation of independent noise in both images.
        smooth_px: standard deviation of noise that neighbours share, as a lens or a rolling shutter makes.
        outliers: part of the matches that are wrong, half of them anywhere, half within 40 pixels.
        moving: part of the matches that lie on one object with a motion of its own.
    """

    noise_px: float = 0.4
    smooth_px: float = 0.0
    outliers: float = 0.2
    moving: float = 0.0


_Motion = Callable[[np.random.Generator], tuple[Array, Array]]


def _moving(direction: Array, length: tuple[float, float], turn_deg: float) -> _Motion:
    def motion(rng: np.random.Generator) -> tuple[Array, Array]:
        way = direction + 0.15 * rng.normal(size=3)
        way *= rng.uniform(*length) / np.linalg.norm(way)
        return np.radians(turn_deg) * rng.normal(size=3) / np.sqrt(3.0), way

    return motion


def _turning(rng: np.random.Generator) -> tuple[Array, Array]:
    side = rng.choice([-1.0, 1.0])
    turn = np.radians(np.array([rng.normal(), side * rng.uniform(5.0, 12.0), rng.normal()]))
    return turn, np.array([side * rng.uniform(0.05, 0.2), 0.02 * rng.normal(), rng.uniform(0.1, 0.3)])


def _rotating(rng: np.random.Generator) -> tuple[Array, Array]:
    axis = rng.normal(size=3)
    return np.radians(rng.uniform(0.5, 8.0)) * axis / np.linalg.norm(axis), np.zeros(3)


def _standing(rng: np.random.Generator) -> tuple[Array, Array]:
    return np.zeros(3), np.zeros(3)


_FORWARD, _SIDEWAYS = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])
_MOTIONS: dict[str, _Motion] = {
    "forward": _moving(_FORWARD, (0.2, 0.5), 2.0),
    "sideways": _moving(_SIDEWAYS, (0.1, 0.3), 2.0),
    "turning": _turning,
    "small parallax": _moving(_SIDEWAYS, (0.03, 0.06), 1.0),
    "large parallax": _moving(_SIDEWAYS, (0.5, 0.9), 5.0),
    "rotation": _rotating,
    "standing": _standing,
}
REGIMES = tuple(_MOTIONS)
TRANSLATING = ("forward", "sideways", "turning", "small parallax", "large parallax")


def point_pair(
    regime: str,
    seed: int,
    count: int = 500,
    disturbance: Disturbance | None = None,
    planar: bool = False,
    camera: Camera = CAMERA,
) -> PointPair:
    """Return `count` matches of two views; the same seed gives the same ones.

    The points are spread evenly over the reference image and over inverse depth from 1.5 to 15 m, or lie on a
    slanted plane.

    Raises:
        InputError: the regime is unknown.
    """
    if regime not in _MOTIONS:
        msg = f"regime {regime!r} is unknown, choose one of {', '.join(REGIMES)}"
        raise InputError(msg)
    what = disturbance or Disturbance()
    rng = np.random.default_rng(seed)
    turn, translation = _MOTIONS[regime](rng)
    rotation = rotation_matrix(turn)
    reference, current, correct = _points(rng, count, rotation, translation, what, planar, camera)
    for points in (reference, current):
        points += rng.normal(0.0, what.noise_px, points.shape) + _smooth(rng, points, what.smooth_px, camera)
    scores = np.where(correct, rng.beta(4.0, 2.0, count), rng.beta(2.0, 3.0, count))
    order = np.argsort(-scores)
    return PointPair(reference[order], current[order], scores[order], correct[order], rotation, translation)


def _points(
    rng: np.random.Generator,
    count: int,
    rotation: Array,
    translation: Array,
    what: Disturbance,
    planar: bool,
    camera: Camera,
) -> tuple[Array, Array, NDArray[np.bool_]]:
    size = np.array([camera.width, camera.height]) - 1.0
    normal = np.append(rng.uniform(-0.5, 0.5, 2), 1.0)
    own_motion = 0.1 * rng.normal(size=3)
    wrong, moving = round(what.outliers * count), round(what.moving * count)
    right = count - wrong - moving
    window = np.array([rng.uniform(0.0, 0.4), rng.uniform(0.0, 0.4)]) * size
    parts: list[tuple[Array, Array]] = []
    for wanted, on_object in ((right, False), (moving, True)):
        found: tuple[Array, Array] = (np.zeros((0, 2)), np.zeros((0, 2)))
        while len(found[0]) < wanted:
            pixels = (
                window + rng.random((wanted, 2)) * 0.6 * size if on_object else rng.random((wanted, 2)) * size
            )
            rays = np.hstack([camera.normalise(pixels), np.ones((wanted, 1))])
            inverse_depth = rng.uniform(1.0 / _FAR, 1.0 / _NEAR, wanted)
            if planar:
                inverse_depth = (rays @ normal) / 4.0
            if on_object:
                inverse_depth = rng.uniform(0.4, 0.5, wanted)
            points = rays / np.maximum(inverse_depth, 1e-3)[:, None] + (own_motion if on_object else 0.0)
            seen = (points - translation) @ rotation
            projected = camera.project(seen[:, :2] / np.maximum(seen[:, 2:], 1e-6))
            inside = (seen[:, 2] > 0.1) & (projected >= 0.0).all(axis=1) & (projected <= size).all(axis=1)
            found = (
                np.vstack([found[0], pixels[inside]])[:wanted],
                np.vstack([found[1], projected[inside]])[:wanted],
            )
        parts.append(found)
    anywhere = rng.random((wrong, 2)) * size
    near = anywhere + rng.normal(0.0, 20.0, (wrong, 2))
    far = rng.random((wrong, 2)) * size
    parts.append((anywhere, np.where((np.arange(wrong) % 2 == 0)[:, None], near, far)))
    correct = np.arange(count) < right
    return np.vstack([part[0] for part in parts]), np.vstack([part[1] for part in parts]), correct


def _smooth(rng: np.random.Generator, points: Array, deviation: float, camera: Camera) -> Array:
    """Return (M, 2) noise that is interpolated linearly between the nodes of a coarse grid."""
    nodes = rng.normal(0.0, deviation, (_GRID, _GRID, 2))
    place = np.clip(points / [camera.width, camera.height], 0.0, 1.0) * (_GRID - 1)
    low = np.minimum(place.astype(int), _GRID - 2)
    x, y = (place - low).T[:, :, None]
    column, row = low.T
    noise: Array = (
        nodes[row, column] * (1 - x) * (1 - y)
        + nodes[row, column + 1] * x * (1 - y)
        + nodes[row + 1, column] * (1 - x) * y
        + nodes[row + 1, column + 1] * x * y
    )
    return noise
