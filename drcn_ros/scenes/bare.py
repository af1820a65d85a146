# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A corridor as in hospitals and offices: bare walls, doors that all look alike, a picture here and there."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from drcn_ros.scenes.photographs import PICTURES, Image
from drcn_ros.scenes.surfaces import Rectangle, Texture, box, rectangle
from drcn_ros.scenes.textures import hang, picture, plaster, shade_edges

_DETAIL = 250.0
# Metres.
_LENGTH, _SIDE, _HEIGHT = 20.0, 1.6, 2.6
_DOOR = 0.9, 2.05
_CABINETS = 7

Tint = tuple[float, float, float]


@lru_cache(maxsize=1)
def bare_corridor() -> tuple[Rectangle, ...]:
    """Return a corridor of 20 x 3.2 x 2.6 m along x, its middle at y = 0, with low cabinets at its sides."""
    length, side, height = _LENGTH, _SIDE, _HEIGHT
    down = (0, 0, -height)
    shell = [
        rectangle((0, side, height), (length, 0, 0), down, _surface((205, 203, 196), 51, 6, 4), _DETAIL),
        rectangle(
            (length, side, height), (0, -2 * side, 0), down, _surface((200, 205, 205), 52, 1, 1), _DETAIL
        ),
        rectangle(
            (length, -side, height), (-length, 0, 0), down, _surface((206, 200, 190), 53, 5, 3), _DETAIL
        ),
        rectangle((0, -side, height), (0, 2 * side, 0), down, _surface((200, 200, 200), 54, 0, 1), _DETAIL),
        rectangle((0, side, 0), (length, 0, 0), (0, -2 * side, 0), _surface((150, 150, 155), 55), _DETAIL),
        rectangle(
            (0, -side, height), (length, 0, 0), (0, 2 * side, 0), _surface((220, 220, 218), 56), _DETAIL
        ),
    ]
    random = np.random.default_rng(7)
    for number in range(_CABINETS):
        start, width = 2.0 + 2.4 * number, random.uniform(0.5, 1.4)
        depth, tall = random.uniform(0.3, 0.6), random.uniform(0.5, 1.2)
        near, far = (side - 0.05 - depth, side - 0.05) if number % 2 else (0.05 - side, 0.05 + depth - side)
        shell += box((start, near, 0), (start + width, far, tall), _cabinet(number), _DETAIL)
    return tuple(shell)


def _surface(tint: Tint, seed: int, doors: int = 0, pictures: int = 0) -> Texture:
    def texture(columns: int, rows: int) -> Image:
        random = np.random.default_rng(seed)
        surface = plaster(columns, rows, photo="gravel.png", tint=tint, seed=seed, contrast=0.09)
        for number in range(doors):
            _draw_door(surface, int((number + random.uniform(0.3, 0.6)) * columns / doors))
        for number in range(pictures):
            left = 20 + int((number + random.uniform(0, 0.6)) * columns / pictures)
            width, top = int(random.integers(80, 130)), int(random.integers(150, 220))
            if left + width + 20 < columns:
                hang(surface, picture(str(random.choice(PICTURES)), random), left, top, width, frame=4)
        return shade_edges(surface, 120)

    return texture


def _draw_door(surface: Image, left: int) -> None:
    """Draw a door with its frame and handle into a wall, in place; all doors are the same."""
    width, height = (round(side * _DETAIL) for side in _DOOR)
    top = surface.shape[0] - height
    surface[top - 10 :, left - 8 : left + width + 8] = 140
    surface[top:, left : left + width] = (128, 102, 77)
    surface[top + height // 2 : top + height // 2 + 12, left + 15 : left + 45] = 60


def _cabinet(number: int) -> Callable[[int], Texture]:
    def face(index: int) -> Texture:
        def texture(columns: int, rows: int) -> Image:
            seed = 60 + 5 * number + index
            return plaster(columns, rows, photo="gravel.png", tint=(170, 180, 190), seed=seed, contrast=0.15)

        return texture

    return face
