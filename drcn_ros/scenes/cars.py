# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A car of a few flat sheets, in its own frame: x ahead, y left, z up, the ground beneath its middle."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.street_textures import DETAIL, Mask
from drcn_ros.scenes.surfaces import Rectangle

COLOURS = (
    (172, 32, 34),
    (32, 60, 118),
    (214, 216, 218),
    (66, 70, 74),
    (150, 154, 158),
    (40, 84, 66),
    (196, 168, 92),
)
_LENGTH, _WIDTH, _HEIGHT = 4.3, 1.76, 1.46
_GLASS = (52, 62, 72)
# The outline from behind to ahead, x and z, metres; sheets span its edges.
_OUTLINE = (
    (-2.15, 0.3),
    (-2.12, 0.95),
    (-1.75, 1.0),
    (-1.2, 1.44),
    (0.15, 1.46),
    (1.0, 0.98),
    (2.05, 0.8),
    (2.15, 0.3),
)
_SHEETS = ("back", "boot", "rear window", "top", "windscreen", "bonnet", "front")


@lru_cache(maxsize=16)
def car(kind: int) -> tuple[Rectangle, ...]:
    """Return the sheets of a car and its shadow."""
    colour = COLOURS[kind % len(COLOURS)]
    half = _WIDTH / 2
    left, mask = _side(colour)
    sheets = [
        # Seen from its left, a car's front points left.
        Rectangle(
            _vector(_LENGTH / 2, half, _HEIGHT),
            _vector(-_LENGTH, 0, 0),
            _vector(0, 0, -_HEIGHT),
            left,
            0,
            mask,
        ),
        Rectangle(
            _vector(-_LENGTH / 2, -half, _HEIGHT),
            _vector(_LENGTH, 0, 0),
            _vector(0, 0, -_HEIGHT),
            np.ascontiguousarray(left[:, ::-1]),
            0,
            np.ascontiguousarray(mask[:, ::-1]),
        ),
    ]
    for (x0, z0), (x1, z1), name in zip(_OUTLINE[:-1], _OUTLINE[1:], _SHEETS, strict=True):
        texture = _sheet(colour, name, float(np.hypot(x1 - x0, z1 - z0)))
        # Seen from outside with the higher edge above; what lies flat is seen from behind.
        if z1 >= z0 or name == "top":
            corner, across, down = (x1, half, z1), (0, -_WIDTH, 0), (x0 - x1, 0, z0 - z1)
        else:
            corner, across, down = (x0, -half, z0), (0, _WIDTH, 0), (x1 - x0, 0, z1 - z0)
        sheets.append(Rectangle(_vector(*corner), _vector(*across), _vector(*down), texture))
    sheets.append(
        Rectangle(
            _vector(_LENGTH / 2, half + 0.1, 0.015),
            _vector(0, -_WIDTH - 0.2, 0),
            _vector(-_LENGTH, 0, 0),
            np.full((round(_LENGTH * DETAIL), round(_WIDTH * DETAIL), 3), 34, np.uint8),
        )
    )
    return tuple(sheets)


def _vector(x: float, y: float, z: float) -> np.ndarray:
    return np.array([x, y, z], np.float64)


def _side(colour: tuple[int, ...]) -> tuple[Image, Mask]:
    """Return a car's left side with wheels and windows, and its outline."""
    rows, columns = round(_HEIGHT * DETAIL), round(_LENGTH * DETAIL)

    def pixels(points: list[tuple[float, float]]) -> np.ndarray:
        places = np.array([(_LENGTH / 2 - x, _HEIGHT - z) for x, z in points])
        return np.rint(places * DETAIL).astype(np.int32)

    mask = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(mask, [pixels(list(_OUTLINE))], 1)
    image = np.zeros((rows, columns, 3), np.uint8)
    image[:] = (np.linspace(1.05, 0.6, rows)[:, None, None] * np.array(colour)).clip(0, 255).astype(np.uint8)
    cv2.fillPoly(image, [pixels([(-1.6, 1.0), (-1.12, 1.36), (-0.55, 1.38), (-0.55, 1.0)])], _GLASS)
    cv2.fillPoly(image, [pixels([(-0.47, 1.0), (-0.47, 1.38), (0.1, 1.38), (0.8, 1.0)])], _GLASS)
    for door in (-0.5, 0.75, -1.25):
        line = pixels([(door, 0.98), (door - 0.05, 0.35)])
        cv2.polylines(image, [line], False, tuple(0.55 * part for part in colour), 1, cv2.LINE_AA)
    for wheel in (-1.35, 1.35):
        place = tuple(int(value) for value in pixels([(wheel, 0.31)])[0])
        for radius, shade, covers in (
            (0.31, (24, 24, 26), True),
            (0.19, (150, 152, 156), False),
            (0.06, (60, 60, 62), False),
        ):
            cv2.circle(image, place, round(radius * DETAIL), shade, -1, cv2.LINE_AA)
            if covers:
                cv2.circle(mask, place, round(radius * DETAIL), 1, -1)
    return image, mask.astype(bool)


def _sheet(colour: tuple[int, ...], name: str, length: float) -> Image:
    """Return one of the sheets that span the outline, as wide as the car."""
    rows, columns = max(4, round(length * DETAIL)), round(_WIDTH * DETAIL)
    light = 1.1 if name in ("top", "bonnet", "boot") else 0.85
    image = np.full((rows, columns, 3), np.clip(light * np.array(colour), 0, 255), np.uint8)
    if name in ("windscreen", "rear window"):
        image[:] = (np.linspace(1.6, 0.9, rows)[:, None, None] * np.array(_GLASS)).astype(np.uint8)
        image[:, : columns // 14] = image[:, -columns // 14 :] = np.array(colour) * 0.8
    if name in ("front", "back"):
        lamp = (238, 236, 220) if name == "front" else (150, 20, 22)
        top, tall, wide = rows // 6, rows // 5, columns // 5
        image[top : top + tall, 4 : 4 + wide] = lamp
        image[top : top + tall, -4 - wide : -4] = lamp
        image[rows // 2 : rows // 2 + rows // 6, columns // 2 - wide // 2 : columns // 2 + wide // 2] = (
            230,
            230,
            226,
        )
        image[-rows // 5 :] = (40, 40, 42)
    return image
