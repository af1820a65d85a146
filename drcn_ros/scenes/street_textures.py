# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Surfaces of a street: facades with rows of like windows, roofs, asphalt with marks, leaves, cars."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.textures import plaster

Mask = NDArray[np.bool_]

# Texels per metre: about a pixel of the large camera at 15 m.
DETAIL = 48.0

_WALLS = (
    ("brick.png", (168, 104, 82), 0.9),
    ("gravel.png", (206, 190, 160), 0.35),
    ("gravel.png", (186, 184, 178), 0.3),
    ("brick.png", (196, 170, 140), 0.6),
    ("gravel.png", (214, 202, 190), 0.3),
    ("brick.png", (140, 92, 78), 0.9),
)
_FRAMES = ((235, 235, 230), (90, 70, 60), (60, 66, 62), (225, 220, 205))
_DOORS = ((92, 48, 40), (44, 70, 62), (54, 60, 92), (110, 84, 56))
KINDS = len(_WALLS)
# Share of a side's height that lies under the roof.
GABLE = 0.25
# Width and height of a front, metres; houses of other sizes stretch it.
_FACADE = (11.0, 7.5)


def _size(metres: float) -> int:
    return max(4, round(metres * DETAIL))


@lru_cache(maxsize=32)
def facade(kind: int, light: float) -> Image:
    """Return the front of a house of 11 x 7.5 m: a grid of windows that are all alike, a door, a plinth.

    Args:
        kind: 0 to `KINDS` - 1.
        light: 1 in the sun.
    """
    width, height = _FACADE
    photo, tint, contrast = _WALLS[kind]
    surface = _wall(_size(width), _size(height), photo, tint, contrast, 300 + kind)
    random = np.random.default_rng(kind)
    floors = max(1, int(height // 3.0))
    storey = height / floors
    columns = max(2, round(width / (2.2 + 0.3 * (kind % 3))))
    bay = width / columns
    wide, tall = 0.48 * bay, 0.52 * storey
    frame = _FRAMES[kind % len(_FRAMES)]
    door = int(random.integers(columns))
    for floor in range(floors):
        for column in range(columns):
            left, top = (column + 0.5) * bay - wide / 2, floor * storey + 0.22 * storey
            if floor == floors - 1 and column == door:
                _door(surface, left + 0.1, height - 2.2, wide - 0.2, 2.2, _DOORS[kind % len(_DOORS)])
            else:
                _window(surface, left, top, wide, tall, frame, random)
    _fill(surface, 0, 0, width, 0.22, tuple(0.75 * part for part in tint))
    for column in range(columns):
        if floors > 1 and kind % 2:
            _fill(surface, column * bay, storey - 0.08, bay, 0.12, tuple(0.82 * part for part in tint))
    surface[-_size(0.45) :] = (0.62 * surface[-_size(0.45) :]).astype(np.uint8)
    return _lit(surface, light)


@lru_cache(maxsize=32)
def side_wall(kind: int, light: float) -> tuple[Image, Mask]:
    """Return the side of a house of 9 x 10 m without windows, and its outline under the roof."""
    photo, tint, contrast = _WALLS[kind]
    surface = _wall(_size(9.0), _size(10.0), photo, tint, contrast, 340 + kind)
    rows, columns = surface.shape[:2]
    gable = np.zeros((rows, columns), np.uint8)
    outline = [(0, rows), (0, GABLE * rows), (columns / 2, 0), (columns, GABLE * rows), (columns, rows)]
    cv2.fillPoly(gable, [np.rint(outline).astype(np.int32)], 1)
    return _lit(surface, light), gable.astype(bool)


@lru_cache(maxsize=16)
def roof(kind: int) -> Image:
    """Return a slope of tiles of 11 x 5 m."""
    tint = ((150, 84, 64), (104, 92, 88), (128, 76, 62))[kind % 3]
    surface = _wall(_size(_FACADE[0]), _size(5.0), "brick.png", tint, 0.8, 360 + kind)
    rows = np.arange(len(surface)) % _size(0.33)
    surface[rows < 3] = (0.7 * surface[rows < 3]).astype(np.uint8)
    return surface


@lru_cache(maxsize=16)
def asphalt(kind: int, length: float, width: float, *, marked: bool) -> Image:
    """Return a piece of road seen from above, the way along its rows: patched, cracked, perhaps marked."""
    surface = plaster(
        _size(length),
        _size(width),
        photo="gravel.png",
        tint=(112, 112, 114),
        seed=400 + kind,
        contrast=0.28,
        grain=0.35,
    ).copy()
    random = np.random.default_rng(40 + kind)
    for _ in range(int(random.integers(1, 4))):
        # Where the road was opened and closed again.
        x, y = random.uniform(0, length - 2.5), random.uniform(0, width - 1.6)
        shade = random.uniform(0.72, 1.12)
        part = surface[
            _size(y) : _size(y + random.uniform(0.5, 1.6)), _size(x) : _size(x + random.uniform(0.8, 2.5))
        ]
        part[:] = np.clip(shade * part.astype(np.float32), 0, 255).astype(np.uint8)
    for _ in range(5):
        begin = np.array([random.uniform(0, length), random.uniform(0, width)])
        points = begin + np.cumsum(random.uniform(-0.5, 0.6, (9, 2)), axis=0)
        line = np.rint(points * DETAIL).astype(np.int32)
        cv2.polylines(surface, [line], False, (70, 70, 72), 2, cv2.LINE_AA)
    if kind % 3 == 0:
        place = (_size(random.uniform(1, length - 1)), _size(width / 2 + 1.2))
        cv2.circle(surface, place, _size(0.33), (72, 70, 68), -1, cv2.LINE_AA)
        cv2.circle(surface, place, _size(0.26), (96, 94, 90), 3, cv2.LINE_AA)
    if marked:
        white = (222, 222, 216)
        for start in np.arange(0.0, length, 6.0):
            _fill(surface, start + 1.5, width / 2 - 0.07, 3.0, 0.14, white)
        for edge in (2.0, width - 2.0):
            _fill(surface, 0, edge - 0.06, length, 0.12, white)
    # Tyres polish two tracks in each lane.
    across = (np.arange(len(surface)) + 0.5) / DETAIL - width / 2
    tracks = sum(np.exp(-(((across - place) / 0.35) ** 2)) for place in (-2.5, -0.9, 0.9, 2.5))
    light = (1.0 - 0.07 * np.asarray(tracks))[:, None, None]
    return np.asarray(surface * light, np.uint8)


@lru_cache(maxsize=16)
def pavement(kind: int, length: float, width: float) -> Image:
    """Return slabs with a kerb along the last row."""
    surface = _wall(_size(length), _size(width), "gravel.png", (168, 164, 156), 0.3, 430 + kind)
    random = np.random.default_rng(kind)
    for column in range(0, surface.shape[1], _size(0.6)):
        for row in range(0, surface.shape[0], _size(0.6)):
            part = surface[row : row + _size(0.6), column : column + _size(0.6)]
            part[:] = np.clip(random.uniform(0.9, 1.08) * part.astype(np.float32), 0, 255).astype(np.uint8)
            part[:1] = part[:1] * 0.6
            part[:, :1] = part[:, :1] * 0.6
    surface[-_size(0.2) :] = np.minimum(1.12 * surface[-_size(0.2) :], 255).astype(np.uint8)
    return surface


@lru_cache(maxsize=16)
def lawn(kind: int, length: float, width: float) -> Image:
    """Return grass, at half the detail."""
    size = _size(length / 2), _size(width / 2)
    return plaster(*size, photo="grass.png", tint=(104, 124, 66), seed=450 + kind, contrast=0.5, grain=0.5)


@lru_cache(maxsize=16)
def hedge(kind: int, length: float, height: float) -> tuple[Image, Mask]:
    """Return a hedge and its ragged upper edge."""
    return _leaves(_size(length), _size(height), 470 + kind, (0.5, 0.62), 1.6)


@lru_cache(maxsize=16)
def crown(kind: int, width: float, height: float) -> tuple[Image, Mask]:
    """Return the crown of a tree: leaves with light between them, and where they are."""
    return _leaves(_size(width), _size(height), 490 + kind, (0.5, 0.5), 1.0)


@lru_cache(maxsize=8)
def tree_line(kind: int, length: float, height: float) -> tuple[Image, Mask]:
    """Return distant trees side by side, at half the detail."""
    image, mask = _leaves(_size(length / 2), _size(height / 2), 510 + kind, (0.5, 0.75), 2.4)
    columns = np.arange(mask.shape[1]) / mask.shape[1]
    random = np.random.default_rng(kind)
    phases = random.uniform(0, 1, 3)
    edge = (
        0.24
        + 0.1 * np.sin(2 * np.pi * (2 * columns + phases[0]))
        + 0.07 * np.sin(2 * np.pi * (5 * columns + phases[1]))
    )
    mask = mask & (
        np.arange(mask.shape[0])[:, None] / mask.shape[0] > edge * random.uniform(0.8, 1.2, len(columns))
    )
    return (0.8 * image).astype(np.uint8), mask


@lru_cache(maxsize=4)
def bark(width: float, height: float) -> Image:
    """Return the trunk of a tree."""
    return plaster(
        _size(width), _size(height), photo="gravel.png", tint=(96, 80, 64), seed=9, contrast=0.7, grain=0.6
    )


@lru_cache(maxsize=1)
def kerb() -> Image:
    """Return the stones along a pavement, seen from the road, 12 m of them."""
    surface = np.full((_size(0.12), _size(12.0), 3), (150, 148, 142), np.uint8)
    surface[:, :: _size(1.0)] = (110, 108, 104)
    return surface


@lru_cache(maxsize=1)
def field() -> Image:
    """Return land far away, at a texel a metre."""
    return plaster(820, 790, photo="grass.png", tint=(112, 118, 92), seed=530, contrast=0.3, grain=0.5)


def _leaves(
    width: int, height: int, seed: int, centre: tuple[float, float], fullness: float
) -> tuple[Image, Mask]:
    """Return a heap of single leaves, darker within and lighter above, and where they cover anything."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), (44, 58, 30), np.uint8)
    mask = np.zeros((height, width), np.uint8)
    area = width * height / DETAIL**2
    for _ in range(int(130 * area * min(fullness, 1.4))):
        x, y = random.normal(centre, (0.2 * fullness, 0.2 * max(1.0, 0.7 * fullness)))
        if fullness <= 1.0 and (x - 0.5) ** 2 + (y - 0.5) ** 2 > 0.22:
            continue
        light = np.clip(0.55 + 0.5 * (0.6 - y) + random.normal(0, 0.2), 0.25, 1.15)
        hue = random.uniform(0, 1)
        colour = (light * (92 + 50 * hue), light * (128 + 22 * hue), light * (52 + 14 * hue))
        axes = (round(DETAIL * random.uniform(0.05, 0.12)), round(DETAIL * random.uniform(0.03, 0.07)))
        place, angle = (round(x * width), round(y * height)), float(random.uniform(0, 180))
        cv2.ellipse(image, place, axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
        cv2.ellipse(mask, place, axes, angle, 0, 360, 1, -1)
    return image, mask.astype(bool)


def _wall(
    width: int, height: int, photo: str, tint: tuple[float, float, float], contrast: float, seed: int
) -> Image:
    grain = 0.28 if photo == "brick.png" else 0.5
    wall: Image = plaster(
        width, height, photo=photo, tint=tint, seed=seed, contrast=contrast, grain=grain
    ).copy()
    return wall


def _window(
    surface: Image,
    left: float,
    top: float,
    width: float,
    height: float,
    frame: tuple[int, ...],
    random: np.random.Generator,
) -> None:
    """Draw a window: a frame, two panes that mirror the sky, perhaps a curtain, a sill with its shadow."""
    _fill(surface, left - 0.07, top - 0.07, width + 0.14, height + 0.14, frame)
    mirrored = np.linspace(0.55, 0.2, _size(height))[:, None, None] * np.array([150.0, 172.0, 196.0])
    x, y = _size(left), _size(top)
    pane = surface[y : y + _size(height), x : x + _size(width)]
    pane[:] = mirrored[: len(pane)]
    if random.random() < 0.5:
        curtain = pane[: int(len(pane) * random.uniform(0.3, 0.9))]
        curtain[:] = (
            0.5 * curtain + 0.5 * np.array(random.choice([(205, 200, 190), (170, 150, 130)]))
        ).astype(np.uint8)
    _fill(surface, left + width / 2 - 0.03, top, 0.06, height, frame)
    _fill(surface, left, top + 0.35 * height, width, 0.05, frame)
    _fill(surface, left - 0.1, top + height + 0.05, width + 0.2, 0.09, (200, 196, 188))
    shadow = surface[
        _size(top + height + 0.14) : _size(top + height + 0.24),
        _size(left - 0.08) : _size(left + width + 0.08),
    ]
    shadow[:] = (0.6 * shadow).astype(np.uint8)


def _door(
    surface: Image, left: float, top: float, width: float, height: float, colour: tuple[int, ...]
) -> None:
    _fill(surface, left - 0.1, top - 0.12, width + 0.2, height + 0.12, (214, 208, 196))
    _fill(surface, left, top, width, height, colour)
    _fill(surface, left + 0.12, top + 0.15, width - 0.24, 0.5, (70, 84, 92))


def _fill(
    surface: Image, left: float, top: float, width: float, height: float, colour: tuple[float, ...]
) -> None:
    """Fill a part of a surface, metres."""
    rows = slice(max(0, round(top * DETAIL)), max(0, round((top + height) * DETAIL)))
    surface[rows, max(0, round(left * DETAIL)) : max(0, round((left + width) * DETAIL))] = np.array(
        colour
    ).astype(np.uint8)


def _lit(surface: Image, light: float) -> Image:
    return surface if light == 1.0 else (surface * light).astype(np.uint8)
