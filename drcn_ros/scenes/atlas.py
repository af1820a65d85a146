# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""All textures of a scene in one image, at every resolution, so that one lookup serves the whole frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.scenes.photographs import Image

FloatArray = NDArray[np.float32]

LEVELS = 6
# Textures start at multiples of this and repeat their rims around them, so that halving never mixes two.
_GUTTER = 1 << (LEVELS - 1)
_WIDTH = 4352
_THIS_AND_NEXT = (np.float32(1), np.float32(0.5))


class Atlas:
    """Textures packed side by side with their halved copies to the right (mip maps, Williams 1983).

    Attributes:
        origins: (T, 2) x, y of each texture's first texel at full resolution.
    """

    def __init__(self, textures: Sequence[Image]) -> None:
        # What rectangles share is stored once.
        single = {id(texture): texture for texture in textures}
        places, level = _pack(list(single.values()))
        order = {key: row for row, key in enumerate(single)}
        self.origins = places[[order[id(texture)] for texture in textures]]
        rows, columns = level.shape[:2]
        self._end = 2.0 * columns
        self._pixels = np.zeros((rows, 2 * columns, 3), np.uint8)
        left = 0
        for _ in range(LEVELS):
            rows, columns = level.shape[:2]
            self._pixels[:rows, left : left + columns] = level
            left += columns
            halved = cv2.resize(level, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
            level = np.asarray(halved, np.uint8)

    def sample(self, x: FloatArray, y: FloatArray, texels: FloatArray) -> Image:
        """Return colours (H, W, 3), linear between texels and between resolutions.

        Args:
            x, y: (H, W) positions, texels of the full resolution.
            texels: (H, W) width of the area to be averaged, texels.
        """
        texels = np.clip(texels, 1.0, 2.0 ** (LEVELS - 1) - 0.01)
        # A float without its mantissa is the power of two below it: the finer of both resolutions.
        halvings = (texels.view(np.uint32) & np.uint32(0x7F800000)).view(np.float32)
        scale = 1 / halvings
        # Level l, of scale 2^-l, begins at end * (1 - 2^-l), since each one is half as wide as the last.
        map_x = (x + np.float32(0.5 - self._end)) * scale
        map_y = (y + np.float32(0.5)) * scale
        finer, coarser = (self._look_up(share * map_x, share * map_y) for share in _THIS_AND_NEXT)
        share = texels * scale - 1
        return np.asarray(cv2.blendLinear(finer, coarser, 1 - share, share), np.uint8)

    def _look_up(self, x: FloatArray, y: FloatArray) -> Image:
        x += np.float32(self._end - 0.5)
        y -= np.float32(0.5)
        return np.asarray(cv2.remap(self._pixels, x, y, cv2.INTER_LINEAR), np.uint8)


def _pack(textures: Sequence[Image]) -> tuple[FloatArray, Image]:
    """Place textures on shelves, tallest first; return their origins and the filled image."""
    order = sorted(range(len(textures)), key=lambda index: -textures[index].shape[0])
    places = np.zeros((len(textures), 2), int)
    x = y = shelf = 0
    for index in order:
        rows, columns = (_padded(size) for size in textures[index].shape[:2])
        if x and x + columns > _WIDTH:
            x, y, shelf = 0, y + shelf, 0
        places[index] = x + _GUTTER, y + _GUTTER
        x, shelf = x + columns, max(shelf, rows)
    width = max(_WIDTH, *(_padded(texture.shape[1]) for texture in textures))
    pixels = np.zeros((y + shelf, width, 3), np.uint8)
    for texture, (left, top) in zip(textures, places, strict=True):
        rows, columns = texture.shape[:2]
        below, right = (_padded(size) - _GUTTER - size for size in (rows, columns))
        filled = cv2.copyMakeBorder(texture, _GUTTER, below, _GUTTER, right, cv2.BORDER_REPLICATE)
        pixels[top - _GUTTER : top + rows + below, left - _GUTTER : left + columns + right] = filled
    return places.astype(np.float32), pixels


def _padded(size: int) -> int:
    """Return the room that a texture takes: a gutter on both sides, in whole gutters."""
    return (math.ceil(size / _GUTTER) + 2) * _GUTTER
