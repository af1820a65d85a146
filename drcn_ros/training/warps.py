# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random geometry of a pair of views: homography, parallax of a made-up depth, rolling shutter.

All transforms take pixels of the second image B back to pixels of the first image A, so that the place of
each pixel of B is known exactly and its colour can be looked up without holes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.training.config import PairConfig

Matrix = NDArray[np.float64]
FloatArray = NDArray[np.float32]


def random_view(random: np.random.Generator, size: int, shape: tuple[int, int]) -> Matrix:
    """Return a similarity (3, 3) from pixels of a square view to pixels of a photograph of `shape`."""
    height, width = shape
    largest = max(0.75, min(2.0, min(height, width) / size))
    scale = np.exp(random.uniform(np.log(0.7), np.log(largest)))
    angle = np.deg2rad(random.uniform(-15, 15))
    margin = size * scale / 2
    centre = [
        random.uniform(min(margin, length / 2), max(length - margin, length / 2))
        for length in (width, height)
    ]
    view = _translation(*centre) @ _rotation(angle) @ np.diag([scale, scale, 1.0]) @ _centred(size)
    if random.random() < 0.5:
        view = view @ np.array([[-1.0, 0, size - 1], [0, 1, 0], [0, 0, 1]])
    return view


def random_homography(random: np.random.Generator, size: int, hard: bool, config: PairConfig) -> Matrix:
    """Return a homography (3, 3) from pixels of B to pixels of A, both squares of `size` pixels.

    The configuration tells how far a strong change of view turns and scales.
    """
    angle = np.deg2rad(random.uniform(-1, 1) * (config.turn if hard else 8))
    if hard and random.random() < 0.1:
        angle = np.deg2rad(random.uniform(-90, 90))
    scale = np.exp(random.uniform(-1, 1) * (np.log(config.scale) if hard else 0.15))
    stretch = np.exp(random.uniform(-1, 1) * (0.2 if hard else 0.05))
    shift = random.uniform(-1, 1, 2) * (0.25 if hard else 0.12) * size
    axis = _rotation(random.uniform(0, np.pi))
    perspective = np.eye(3)
    perspective[2, :2] = random.uniform(-1, 1, 2) * (0.45 if hard else 0.15) / size
    stretched = axis @ np.diag([scale * stretch, scale / stretch, 1.0]) @ axis.T
    back = _translation(*((size - 1) / 2 + shift))
    homography: Matrix = back @ perspective @ _rotation(angle) @ stretched @ _centred(size)
    return homography


def random_parallax(random: np.random.Generator, size: int, hard: bool) -> FloatArray:
    """Return the shift (size, size, 2) in pixels that a moving camera sees over a made-up depth.

    Half of the motions are sideways, half along the optical axis.
    """
    inverse_depth = _inverse_depth(random, size)
    largest = random.uniform(0, 0.10 if hard else 0.05) * size
    if random.random() < 0.5:
        angle = random.uniform(0, 2 * np.pi)
        direction = np.array([np.cos(angle), np.sin(angle)], np.float32)
        return np.asarray(inverse_depth[..., None] * (largest * direction), np.float32)
    from_centre = pixel_grid(size) / (size / 2) - 1
    return np.asarray(inverse_depth[..., None] * largest * from_centre, np.float32)


def rolling_shutter(random: np.random.Generator, size: int) -> FloatArray:
    """Return the shift (size, size, 2) of rows that are read one after another during a turn."""
    time = np.linspace(-1, 1, size)
    speed, jerk = random.uniform(-4, 4, 2), random.uniform(-2, 2, 2)
    shift = time[:, None] * speed + (time**2)[:, None] * jerk
    return np.broadcast_to(shift[:, None].astype(np.float32), (size, size, 2))


def pixel_grid(size: int) -> FloatArray:
    """Return (size, size, 2) pixel coordinates (x, y)."""
    x, y = np.meshgrid(np.arange(size), np.arange(size))
    return np.stack([x, y], axis=-1).astype(np.float32)


def apply(homography: Matrix, points: FloatArray) -> FloatArray:
    """Return points (..., 2) mapped by a homography (3, 3)."""
    x, y = np.ascontiguousarray(points[..., 0]), np.ascontiguousarray(points[..., 1])
    rows = [row[0] * x + (row[1] * y + row[2]) for row in homography.astype(np.float32)]
    return np.stack([rows[0] / rows[2], rows[1] / rows[2]], axis=-1)


def local_scale(homography: Matrix, size: int) -> float:
    """Return how many target pixels a source pixel spans at the centre of a square image."""
    middle = (size - 1) / 2
    square = np.array([[0, 0], [1, 0], [0, 1]], np.float32) + np.float32(middle)
    corners = apply(homography, square)
    across, down = corners[1] - corners[0], corners[2] - corners[0]
    return float(np.sqrt(abs(across[0] * down[1] - across[1] * down[0])))


def _inverse_depth(random: np.random.Generator, size: int) -> FloatArray:
    """Return (size, size) with mean 0 and largest magnitude 1: smooth, piecewise planar, with objects."""
    nodes = int(random.integers(2, 6))
    depth = _enlarged(random.random((nodes, nodes)), size)
    pieces = 2 * int(random.integers(0, 7))
    if pieces:
        line = np.arange(size, dtype=np.float32)
        seeds = random.random((pieces, 2), np.float32) * size
        across, down = ((line - seeds[:, axis : axis + 1]) ** 2 for axis in (0, 1))
        nearest = (across[:, None, :] + down[:, :, None]).argmin(axis=0)
        offset = random.normal(0, 0.5, pieces).astype(np.float32)
        slope = random.normal(0, 0.5 / size, (2, pieces)).astype(np.float32)
        depth = depth * np.float32(random.uniform(0.2, 1)) + offset[nearest]
        depth += slope[0][nearest] * (line - size / 2) + slope[1][nearest] * (line - size / 2)[:, None]
    for _ in range(int(random.integers(0, 4))):
        outline = random.random((int(random.integers(3, 7)), 2)) * size * 0.5 + random.random(2) * size * 0.6
        mask = cv2.fillPoly(np.zeros((size, size), np.uint8), [outline.astype(np.int32)], 1)
        depth += mask * np.float32(random.uniform(0.3, 1.0))
    depth = depth - depth.mean()
    return np.asarray(depth / (np.abs(depth).max() + 1e-6), np.float32)


def _enlarged(values: Matrix, size: int) -> FloatArray:
    large = cv2.resize(values.astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.float32)


def _rotation(angle: float) -> Matrix:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def _translation(x: float, y: float) -> Matrix:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def _centred(size: int) -> Matrix:
    return _translation(-(size - 1) / 2, -(size - 1) / 2)
