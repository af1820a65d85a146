# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Two rooms that look exactly alike, side by side, with a door between them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from drcn_ros.scenes.rooms import ROOM_SIZE, room
from drcn_ros.scenes.surfaces import Rectangle, placed

# From a place in one room to the same place in the other, along x, metres: the wall is 20 cm thick.
APART = ROOM_SIZE[0] + 0.2
# The door in both walls, as parts of their width, and the part of their height above it.
_DOOR, _LINTEL = (0.4, 0.6), 0.25


@lru_cache(maxsize=1)
def twin_rooms() -> tuple[Rectangle, ...]:
    """Return both rooms; the first has its corner at the origin."""
    there = np.eye(4)
    there[0, 3] = APART
    first, second = list(room()), placed(room(), there)
    return tuple(_with_door(first, ROOM_SIZE[0])) + tuple(_with_door(second, APART))


def _with_door(rectangles: list[Rectangle], x: float) -> Iterator[Rectangle]:
    """Yield a room whose wall at `x` has a door."""
    for made in rectangles:
        ends = made.corner[0], made.corner[0] + made.across[0], made.corner[0] + made.down[0]
        is_wall = np.allclose(ends, x) and np.isclose(np.linalg.norm(made.across), ROOM_SIZE[1])
        if not is_wall:
            yield made
            continue
        for left, right, bottom in ((0.0, _DOOR[0], 1.0), (_DOOR[1], 1.0, 1.0), (*_DOOR, _LINTEL)):
            yield _part(made, left, right, bottom)


def _part(made: Rectangle, left: float, right: float, bottom: float) -> Rectangle:
    """Return the part of a rectangle between two fractions of its width and above one of its height."""
    height, width = made.texture.shape[:2]
    columns = [round(part * width) for part in (left, right)]
    row = round(bottom * height)
    return Rectangle(
        made.corner + columns[0] / width * made.across,
        (columns[1] - columns[0]) / width * made.across,
        row / height * made.down,
        made.texture[:row, columns[0] : columns[1]],
    )
