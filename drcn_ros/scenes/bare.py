# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A corridor as in hospitals and offices: bare walls, doors that all look alike, tiles."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.surfaces import Rectangle, Texture, box, rectangle
from drcn_ros.scenes.textures import shade_edges

_DETAIL = 250.0
# Metres.
_LENGTH, _SIDE, _HEIGHT = 20.0, 1.8, 2.6
_DOOR = 0.9, 2.05
_CABINETS = 5

Tint = tuple[int, int, int]


@lru_cache(maxsize=1)
def bare_corridor() -> tuple[Rectangle, ...]:
    """Return a corridor of 20 x 3.6 x 2.6 m along x, its middle at y = 0, with low cabinets at its sides."""
    length, side, height = _LENGTH, _SIDE, _HEIGHT
    down = (0, 0, -height)
    floor, ceiling = _tiled((160, 160, 165), 0.4), _tiled((225, 225, 222), 0.6)
    shell = [
        rectangle((0, side, height), (length, 0, 0), down, _wall((205, 203, 196), 6), _DETAIL),
        rectangle((length, side, height), (0, -2 * side, 0), down, _wall((200, 205, 205), 1), _DETAIL),
        rectangle((length, -side, height), (-length, 0, 0), down, _wall((206, 200, 190), 6), _DETAIL),
        rectangle((0, -side, height), (0, 2 * side, 0), down, _wall((200, 200, 200), 0), _DETAIL),
        rectangle((0, side, 0), (length, 0, 0), (0, -2 * side, 0), floor, _DETAIL),
        rectangle((0, -side, height), (length, 0, 0), (0, 2 * side, 0), ceiling, _DETAIL),
    ]
    front = _tiled((170, 180, 190), 0.35)
    random = np.random.default_rng(7)
    for number in range(_CABINETS):
        start, width = 2.0 + 3.2 * number, random.uniform(0.5, 1.4)
        depth, tall = random.uniform(0.3, 0.6), random.uniform(0.5, 1.2)
        near, far = (side - 0.05 - depth, side - 0.05) if number % 2 else (0.05 - side, 0.05 + depth - side)
        shell += box((start, near, 0), (start + width, far, tall), lambda face: front, _DETAIL)
    return tuple(shell)


def _wall(tint: Tint, doors: int) -> Texture:
    def texture(columns: int, rows: int) -> Image:
        surface = _painted(tint, columns, rows)
        for number in range(doors):
            _draw_door(surface, round((number + 0.4) * columns / doors))
        return shade_edges(surface, 200, depth=0.25)

    return texture


def _tiled(tint: Tint, side: float) -> Texture:
    """Return square tiles of so many metres with darker joints."""

    def texture(columns: int, rows: int) -> Image:
        surface = _painted(tint, columns, rows)
        step, joint = round(side * _DETAIL), tuple(round(0.8 * part) for part in tint)
        for width in range(5):
            surface[:, width::step] = joint
            surface[width::step] = joint
        return shade_edges(surface, 200, depth=0.25)

    return texture


def _painted(tint: Tint, columns: int, rows: int) -> Image:
    return np.full((rows, columns, 3), tint, np.uint8)


def _draw_door(surface: Image, left: int) -> None:
    """Draw a door with its frame, window and handle into a wall, in place; all doors are the same."""
    width, height = (round(side * _DETAIL) for side in _DOOR)
    top = surface.shape[0] - height
    surface[top - 10 :, left - 8 : left + width + 8] = 140
    surface[top:, left : left + width] = (128, 102, 77)
    surface[top + 60 : top + 200, left + 70 : left + 155] = (170, 190, 200)
    surface[top + height // 2 : top + height // 2 + 12, left + 15 : left + 45] = 60
