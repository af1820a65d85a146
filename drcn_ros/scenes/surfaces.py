# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a scene is made of: textured rectangles, seen from one side, and what is built from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array
from drcn_ros.scenes.photographs import Image

Texture = Callable[[int, int], Image]


@dataclass(frozen=True)
class Rectangle:
    """A textured rectangle, visible from the side where `across` points right and `down` points down.

    Attributes:
        corner: (3,) the texture's top-left corner, metres, world.
        across: (3,) from there to the top-right corner.
        down: (3,) from there to the bottom-left corner.
        texture: (H, W, 3) uint8 RGB, spread over the whole rectangle; rectangles may share one.
        part: 0 stands still; another number moves with that part of the scene (see `Renderer.render`), and
            its vectors are in the frame of that part.
        cutout: (H, W) where there is anything at all, or None for everywhere.
    """

    corner: Array
    across: Array
    down: Array
    texture: Image
    part: int = 0
    cutout: NDArray[np.bool_] | None = None


def rectangle(
    corner: Sequence[float],
    across: Sequence[float],
    down: Sequence[float],
    texture: Texture,
    texels_per_metre: float,
    *,
    part: int = 0,
) -> Rectangle:
    """Return a rectangle whose texture is made in the size that it needs."""
    width = round(float(np.linalg.norm(across)) * texels_per_metre)
    height = round(float(np.linalg.norm(down)) * texels_per_metre)
    origin, right, below = (np.asarray(vector, np.float64) for vector in (corner, across, down))
    return Rectangle(origin, right, below, texture(width, height), part)


def box(
    low: Sequence[float],
    high: Sequence[float],
    texture: Callable[[int], Texture],
    texels_per_metre: float,
    *,
    part: int = 0,
) -> list[Rectangle]:
    """Return the four sides and the top of an upright box (z up).

    Args:
        low, high: (3,) opposite corners, metres.
        texture: gives the texture of face 0 to 4.
    """
    (x0, y0, z0), (x1, y1, z1) = low, high
    wide, deep, tall = x1 - x0, y1 - y0, z1 - z0
    faces = [
        ((x0, y0, z1), (wide, 0, 0), (0, 0, -tall)),
        ((x1, y0, z1), (0, deep, 0), (0, 0, -tall)),
        ((x1, y1, z1), (-wide, 0, 0), (0, 0, -tall)),
        ((x0, y1, z1), (0, -deep, 0), (0, 0, -tall)),
        ((x0, y1, z1), (wide, 0, 0), (0, -deep, 0)),
    ]
    return [
        rectangle(corner, across, down, texture(face), texels_per_metre, part=part)
        for face, (corner, across, down) in enumerate(faces)
    ]


def placed(rectangles: Iterable[Rectangle], pose: Array, part: int = 0) -> list[Rectangle]:
    """Return rectangles moved by a pose (4, 4) into the world, or into the frame of a part."""
    rotation, position = pose[:3, :3], pose[:3, 3]
    return [
        replace(
            made,
            corner=rotation @ made.corner + position,
            across=rotation @ made.across,
            down=rotation @ made.down,
            part=part,
        )
        for made in rectangles
    ]
