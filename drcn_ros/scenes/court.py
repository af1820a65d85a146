# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A court between two rows of houses that are all the same: most of what is seen is there many times."""

from __future__ import annotations

from functools import lru_cache

from drcn_ros.scenes import street_textures as textures
from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.surfaces import Rectangle, rectangle

_HOUSES, _WIDTH, _HEIGHT = 4, 11.0, 7.5
_SIDE = 5.0
_KIND = 3

COURT_SIZE = (_HOUSES * _WIDTH, 2 * _SIDE, _HEIGHT)


@lru_cache(maxsize=1)
def court() -> tuple[Rectangle, ...]:
    """Return a court of 44 x 10 m along x from x = 0, its middle at y = 0, open above."""
    length, width, height = COURT_SIZE
    # One front in the sun and one in the shade: nothing else tells them apart.
    sunny, shady = (textures.facade(_KIND, light) for light in (1.0, 0.7))
    made = []
    for number in range(_HOUSES):
        left, right = number * _WIDTH, (number + 1) * _WIDTH
        for corner, along, front in (
            ((left, _SIDE, height), _WIDTH, sunny),
            ((right, -_SIDE, height), -_WIDTH, shady),
        ):
            made.append(_covered(corner, (along, 0.0, 0.0), (0.0, 0.0, -height), front))
    for corner, across in (((length, _SIDE, height), -width), ((0.0, -_SIDE, height), width)):
        made.append(_covered(corner, (0.0, across, 0.0), (0.0, 0.0, -height), shady))
    ground = textures.asphalt(2, length, width, marked=False)
    return (*made, _covered((0.0, _SIDE, 0.0), (length, 0.0, 0.0), (0.0, -width, 0.0), ground))


def _covered(
    corner: tuple[float, float, float],
    across: tuple[float, float, float],
    down: tuple[float, float, float],
    texture: Image,
) -> Rectangle:
    return rectangle(corner, across, down, lambda columns, rows: texture, textures.DETAIL)
