# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What makes two views of one place look unlike: other light, a lamp at night, rain, rows read in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import Array

Light = NDArray[np.float32]

# Light that comes from nowhere, and what a lamp adds beside it; it falls to half at this distance, metres.
_AMBIENT, _LAMP, _HALF = 0.35, 1.6, 1.6
_LOUD, _FAINT = (0.7, 1.5), (0.45, 0.8)
# At night there is hardly any light but that of the camera's own lamp, brightest ahead.
_NIGHT, _HEADLAMP, _REACH, _NARROW = 0.02, 4.0, 2.2, 2.0
# Streaks of a megapixel, their length in pixels, and how much of what lies behind they hide.
_STREAKS, _LENGTHS, _HIDDEN = 3500, (8, 28), 0.55
# Turn of the camera while one image is read, radians.
_TURN = 0.035


@dataclass(frozen=True)
class Seen:
    """What a camera sees from a place, before a condition changes it.

    Attributes:
        light: (H, W, 3) grey levels.
        points: (H, W, 3) the surface behind each pixel, metres, world; infinitely far where there is none.
        camera: what sees it.
        pose: (4, 4) T_world_camera.
    """

    light: Light
    points: Array
    camera: Camera
    pose: Array


# Changes what is seen as the random generator says.
Condition = Callable[[Seen, np.random.Generator], Light]


def unchanged(seen: Seen, random: np.random.Generator) -> Light:
    """Return the light as it is."""
    return seen.light


def relit(seen: Seen, random: np.random.Generator) -> Light:
    """Return it with a lamp somewhere in the scene and an exposure of its own."""
    distance = np.linalg.norm(seen.points - seen.pose[:3, 3], axis=-1)
    middle = float(np.median(distance[np.isfinite(distance)]))
    ahead = seen.pose[:3, :3] @ np.array([random.uniform(-0.9, 0.9), random.uniform(-0.7, 0.1), 0.8])
    away = np.linalg.norm(seen.points - (seen.pose[:3, 3] + middle * ahead), axis=-1)
    falloff = 1 / (1 + np.square(away / (_HALF * max(1.0, middle / 3))))
    exposure = random.uniform(*(_LOUD if random.random() < 0.5 else _FAINT))
    return _scaled(seen.light, exposure * (_AMBIENT + _LAMP * falloff))


def by_lamp(seen: Seen, random: np.random.Generator) -> Light:
    """Return it at night, lit by a lamp on the camera, with the noise of a sensor that reads so little."""
    offsets = seen.points - seen.pose[:3, 3]
    offsets[~np.isfinite(offsets).all(axis=-1)] = 0
    distance = np.linalg.norm(offsets, axis=-1)
    # Where there is nothing, nothing is lit.
    cone = np.clip((offsets @ seen.pose[:3, 2]) / np.maximum(distance, 1e-6), 0, 1) ** (2 * _NARROW)
    falloff = _HEADLAMP * cone / (1 + np.square(distance / _REACH))
    noise = random.normal(0, 4.0, seen.light.shape).astype(np.float32)
    return _scaled(seen.light, _NIGHT + falloff) + noise


def through_rain(seen: Seen, random: np.random.Generator) -> Light:
    """Return it behind streaks of rain, different in each image."""
    height, width = seen.light.shape[:2]
    veil = np.zeros((height, width), np.float32)
    slant = random.normal(0, 0.15)
    for _ in range(round(_STREAKS * height * width / 1e6)):
        x, y = random.uniform(0, width), random.uniform(-30, height)
        length = random.uniform(*_LENGTHS)
        end = round(x + slant * length), round(y + length)
        cv2.line(veil, (round(x), round(y)), end, random.uniform(0.3, 1.0), 1, cv2.LINE_AA)
    veil = _HIDDEN * cv2.GaussianBlur(veil, (0, 0), 0.7)[..., None]
    grey = np.float32(205)
    return np.asarray(seen.light * (1 - veil) + grey * veil, np.float32)


def by_rows(seen: Seen, random: np.random.Generator) -> Light:
    """Return it read row after row by a camera that turns; the middle row is read at the pose itself."""
    height, width = seen.light.shape[:2]
    turn = random.normal(0, 1, 3)
    turn *= _TURN / np.linalg.norm(turn)
    grid = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).reshape(-1, 2).astype(np.float64)
    rays = np.column_stack([seen.camera.normalise(grid), np.ones(len(grid))]).reshape(height, width, 3)
    for row, moment in enumerate(np.linspace(-0.5, 0.5, height)):
        rays[row] = rays[row] @ rotation_matrix(moment * turn).T
    flat = (rays[..., :2] / rays[..., 2:]).reshape(-1, 2)
    places = seen.camera.project(flat).reshape(height, width, 2).astype(np.float32)
    moved = cv2.remap(
        seen.light, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(moved, np.float32)


def _scaled(light: Light, factor: Array) -> Light:
    return np.asarray(light * np.nan_to_num(factor).astype(np.float32)[..., None], np.float32)
