# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes: a furnished room, a single wall, and a corridor with something that moves through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from drcn_ros.scenes.photographs import PICTURES, Image
from drcn_ros.scenes.surfaces import Rectangle, Texture, box, rectangle
from drcn_ros.scenes.textures import hang, picture, plaster, shade_edges

# 4 mm a texel: about a pixel of a 640x480 camera at 2 m.
_DETAIL = 250.0

_PAINTS = ((196, 172, 120), (116, 140, 168), (188, 120, 100), (128, 160, 124), (176, 176, 170))
_COATS = ("gravel.png", "grass.png", "brick.png")

ROOM_SIZE = (8.0, 6.0, 2.8)


@lru_cache(maxsize=1)
def room() -> tuple[Rectangle, ...]:
    """Return a room of 8 x 6 x 2.8 m with cupboards, boxes and pictures; one corner is the origin."""
    length, width, height = ROOM_SIZE
    shell = [
        _wall((0, width, height), (length, 0, 0), height, (172, 158, 138), 1, "gravel.png"),
        _wall((length, width, height), (0, -width, 0), height, (176, 150, 136), 2, "brick.png"),
        _wall((length, 0, height), (-length, 0, 0), height, (150, 160, 166), 3, "gravel.png"),
        _wall((0, 0, height), (0, width, 0), height, (164, 164, 144), 4, "brick.png"),
        rectangle((0, width, 0), (length, 0, 0), (0, -width, 0), _floor(5), _DETAIL),
        rectangle((0, 0, height), (length, 0, 0), (0, width, 0), _ceiling(6), _DETAIL),
    ]
    furniture = [
        ((6.9, 3.6, 0.0), (7.9, 4.7, 1.7)),
        ((5.3, 5.2, 0.0), (6.4, 5.9, 1.2)),
        ((6.2, 0.3, 0.0), (7.0, 1.3, 0.9)),
        ((4.0, 0.1, 0.0), (5.0, 0.7, 1.9)),
        ((2.2, 5.3, 0.0), (3.6, 5.9, 0.8)),
        ((5.0, 3.1, 0.0), (5.5, 3.7, 0.5)),
        ((6.0, 2.2, 0.0), (6.5, 2.6, 0.7)),
        ((1.0, 0.2, 0.0), (1.9, 0.8, 1.1)),
        ((0.1, 4.2, 0.0), (0.7, 5.2, 1.8)),
    ]
    for number, (low, high) in enumerate(furniture):
        shell += box(low, high, _furniture(number), _DETAIL)
    return tuple(shell)


@lru_cache(maxsize=1)
def planar_wall(width: float = 16.0, height: float = 9.0) -> tuple[Rectangle, ...]:
    """Return one wall full of pictures in the plane x = 0, seen from negative x, its centre the origin."""
    corner = (0.0, width / 2, height / 2)
    return (_wall(corner, (0, -width, 0), height, (170, 156, 140), 21, "brick.png", rows=4, edges=False),)


@lru_cache(maxsize=1)
def corridor(length: float = 24.0) -> tuple[Rectangle, ...]:
    """Return a corridor along x, 2.4 m wide, with a crate that is the first part of the scene.

    The crate starts with its back at x = 0, in the middle of the corridor.
    """
    side, height = 1.2, 2.4
    walls = [
        _wall((0, side, height), (length, 0, 0), height, (168, 160, 140), 31, "gravel.png"),
        _wall((length, side, height), (0, -2 * side, 0), height, (160, 150, 140), 32, "brick.png"),
        _wall((length, -side, height), (-length, 0, 0), height, (150, 158, 160), 33, "brick.png"),
        _wall((0, -side, height), (0, 2 * side, 0), height, (160, 160, 150), 34, "brick.png"),
        rectangle((0, side, 0), (length, 0, 0), (0, -2 * side, 0), _floor(35), _DETAIL),
        rectangle((0, -side, height), (length, 0, 0), (0, 2 * side, 0), _ceiling(36), _DETAIL),
    ]
    crate = box((0.0, -0.55, 0.05), (0.8, 0.55, 1.75), _furniture(40), _DETAIL, part=1)
    return (*walls, *crate)


def _wall(
    corner: Sequence[float],
    across: Sequence[float],
    height: float,
    tint: tuple[float, float, float],
    seed: int,
    material: str,
    rows: int = 1,
    edges: bool = True,
) -> Rectangle:
    def texture(columns: int, lines: int) -> Image:
        surface = plaster(columns, lines, photo=material, tint=tint, seed=seed)
        _hang_pictures(surface, rows, np.random.default_rng(seed + 100))
        return shade_edges(surface, 120) if edges else surface

    return rectangle(corner, across, (0, 0, -height), texture, _DETAIL)


def _hang_pictures(surface: Image, rows: int, random: np.random.Generator) -> None:
    """Hang pictures over the width of a wall, in places that nothing else explains."""
    height, width = surface.shape[:2]
    row_height = height // rows
    for row in range(rows):
        left = int(random.integers(60, 200))
        while left < width - 330:
            size = int(random.integers(150, 260))
            top = row * row_height + int(random.integers(40, max(41, row_height // 2 - 100)))
            hang(surface, picture(str(random.choice(PICTURES)), random), left, top, size)
            left += size + int(random.integers(60, 240))


def _floor(seed: int) -> Texture:
    def texture(columns: int, lines: int) -> Image:
        surface = plaster(columns, lines, photo="grass.png", tint=(124, 100, 84), seed=seed, grain=1.2)
        return shade_edges(surface, 150)

    return texture


def _ceiling(seed: int) -> Texture:
    def texture(columns: int, lines: int) -> Image:
        surface = plaster(
            columns, lines, photo="gravel.png", tint=(205, 203, 196), seed=seed, contrast=0.35, grain=1.5
        )
        return shade_edges(surface, 200, depth=0.2)

    return texture


def _furniture(number: int) -> Callable[[int], Texture]:
    """Return the faces of one piece of furniture: painted, each lit differently, with a picture on it."""
    tint = _PAINTS[number % len(_PAINTS)]

    def face_texture(face: int) -> Texture:
        def texture(columns: int, lines: int) -> Image:
            light = (0.92, 0.78, 0.86, 0.72, 1.0)[face]
            colour = (tint[0] * light, tint[1] * light, tint[2] * light)
            seed = 1000 + 10 * number + face
            random = np.random.default_rng(seed)
            surface = plaster(columns, lines, photo=_COATS[number % 3], tint=colour, seed=seed, grain=0.7)
            _paste_picture(surface, picture(PICTURES[(number + 3 * face) % len(PICTURES)], random))
            return shade_edges(surface, 12, depth=0.45)

        return texture

    return face_texture


def _paste_picture(surface: Image, photo: Image) -> None:
    """Put one picture in the middle of a face, as large as it fits."""
    lines, columns = surface.shape[:2]
    width = round(0.8 * min(columns, lines * photo.shape[1] / photo.shape[0]))
    height = round(width * photo.shape[0] / photo.shape[1])
    hang(surface, photo, (columns - width) // 2, (lines - height) // 2, width, frame=3)
