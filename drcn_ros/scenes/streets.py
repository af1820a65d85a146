# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Streets that close, of 820 m and of 200 m: houses, trees, parked cars, and cars that drive on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np

from drcn_ros.geometry.types import Array
from drcn_ros.scenes import street_textures as textures
from drcn_ros.scenes.cars import COLOURS, car
from drcn_ros.scenes.circuit import Drive, Lane, Leg, legs
from drcn_ros.scenes.paths import Path, looking
from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.street_textures import Mask
from drcn_ros.scenes.surfaces import Rectangle, placed

CORNERS = ((0.0, 0.0), (130.0, 0.0), (130.0, 70.0), (220.0, 70.0), (220.0, 190.0), (0.0, 190.0))
# Around one block: 200 m to a round.
BLOCK = ((0.0, 0.0), (56.0, 0.0), (56.0, 44.0), (0.0, 44.0))
Corners = tuple[tuple[float, float], ...]
# Distances from the axis to the kerb, the gardens, the houses, and the trees behind them, metres.
_KERB, _GARDENS, _HOUSES, _TREES = 5.2, 7.6, 8.2, 21.0
_LANE = 1.7
_CAMERA_HEIGHT = 1.65
_ONCOMING = 9
# The car ahead passes each place so many seconds before the camera.
_AHEAD = 1.9
_START = 3.0
_SUN = np.array([0.55, -0.8])
_SHADE = 0.68


@lru_cache(maxsize=2)
def street(corners: Corners = CORNERS, oncoming: int = _ONCOMING) -> tuple[Rectangle, ...]:
    """Return a street; parts 1 to `oncoming` + 1 are cars that drive (see `traffic`)."""
    random = np.random.default_rng(7)
    # Under everything lies a field, a little lower, that reaches to the horizon.
    corner, across, down = np.array([[-300.0, 490.0, -0.03], [820.0, 0.0, 0.0], [0.0, -790.0, 0.0]])
    made = [Rectangle(corner, across, down, textures.field())]
    for leg in legs(corners):
        made += _ground(leg, random)
        for side in (1, -1):
            made += _row(leg, side, random)
    for number in range(oncoming + 1):
        made += placed(car(number), np.eye(4), part=number + 1)
    return tuple(made)


def camera_path(corners: Corners = CORNERS, fast: float = 14.0) -> Path:
    """Return the path of a camera behind the windscreen: 5.5 m/s in the bends, up to `fast` in between."""
    lane = Lane(corners, -_LANE)
    drive = Drive(lane, 5.5, fast)

    def path(time: float) -> Array:
        place, heading = lane.at(drive.along(time + _START))
        pace = drive.speed(time + _START) / 14.0
        # What springs and the road make of it.
        bounce, pitch, roll = (
            amplitude * pace * np.sin(2 * np.pi * rate * time + phase)
            for amplitude, rate, phase in ((0.012, 1.9, 0.0), (0.004, 1.4, 1.0), (0.003, 1.1, 2.0))
        )
        return looking((place[0], place[1], _CAMERA_HEIGHT + bounce), heading, float(pitch), float(roll))

    return path


def traffic(
    corners: Corners = CORNERS, fast: float = 14.0, oncoming: int = _ONCOMING
) -> Callable[[float], Array]:
    """Return the poses of the cars at a time, (10, 4, 4): one ahead of the camera, nine towards it."""
    own, other = Lane(corners, -_LANE), Lane(corners, _LANE, backwards=True)
    ahead, towards = Drive(own, 5.5, fast), Drive(other, 5.0, 11.0)

    def poses(time: float) -> Array:
        places = [own.at(ahead.along(time + _START + _AHEAD))]
        spacing = other.length / oncoming
        places += [other.at(towards.along(time) + spacing * number) for number in range(oncoming)]
        return np.stack([_upright(float(place[0]), float(place[1]), yaw) for place, yaw in places])

    return poses


def _upright(x: float, y: float, yaw: float, z: float = 0.0) -> Array:
    """Return the pose of something that stands: x ahead, y left, z up."""
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    pose[:3, 3] = x, y, z
    return pose


def _ground(leg: Leg, random: np.random.Generator) -> Iterator[Rectangle]:
    """Yield road, pavements and gardens of a leg, and the bend at its end."""
    for start, end in _pieces(_KERB, leg.length - _KERB, 12.0):
        yield _floor(
            leg,
            start,
            end,
            -_KERB,
            _KERB,
            0.0,
            textures.asphalt(int(random.integers(5)), 12.0, 2 * _KERB, marked=True),
        )
    bend = textures.asphalt(5, 2 * _KERB, 2 * _KERB, marked=False)
    yield _floor(leg, leg.length - _KERB, leg.length + _KERB, -_KERB, _KERB, 0.0, bend)
    for side in (1, -1):
        for near, far, height in ((_KERB, _GARDENS, 0.12), (_GARDENS, _TREES + 1.0, 0.1)):
            for start, end in _pieces(*_reach(leg, side, near, far), 12.0):
                kind = int(random.integers(4))
                if near == _KERB:
                    texture = textures.pavement(kind, 12.0, far - near)
                else:
                    texture = textures.lawn(kind, 12.0, far - near)
                if near == _KERB:
                    yield _panel(leg, side, start, end, near, 0.0, height, textures.kerb())
                # The kerb, the texture's last row, is towards the road.
                if side > 0:
                    yield _floor(leg, start, end, near, far, height, texture)
                else:
                    yield _floor(leg, end, start, -near, -far, height, texture)


def _reach(leg: Leg, side: int, near: float, far: float) -> tuple[float, float]:
    """Return from where to where a strip beside a leg goes; those of neighbours meet and never overlap."""
    start = far if side == leg.turns[0] else -near
    end = leg.length - near if side == leg.turns[1] else leg.length + far
    return start, end


def _pieces(start: float, end: float, length: float) -> list[tuple[float, float]]:
    edges = np.linspace(start, end, max(1, round((end - start) / length)) + 1)
    return [(float(first), float(last)) for first, last in pairwise(edges)]


def _row(leg: Leg, side: int, random: np.random.Generator) -> Iterator[Rectangle]:
    """Yield all that stands on one side of a leg."""
    start, end = _reach(leg, side, _HOUSES, _HOUSES)
    yield from _houses(leg, side, start + 0.4, end - 0.4, random)
    for first, last in _pieces(*_reach(leg, side, _TREES, _TREES), 20.0):
        kind = int(random.integers(3))
        image, mask = textures.tree_line(kind, 20.0, 9.0)
        yield _panel(leg, side, first, last, _TREES, 0.0, float(random.uniform(6.5, 9.0)), image, mask)
    first, last = _reach(leg, side, _KERB + 1.0, _KERB + 1.0)
    for ahead in np.arange(first + 4.0, last - 4.0, 13.0):
        if random.random() < 0.75:
            place = leg.point(ahead + random.uniform(-2, 2), side * (_KERB + 0.9))
            yield from _tree(place, random)
    inner = [_KERB + 6.0 if side == turn else 2.0 for turn in leg.turns]
    for ahead in np.arange(inner[0] + 8.0, leg.length - inner[1] - 8.0, 7.5):
        if random.random() < 0.45:
            x, y = leg.point(ahead + random.uniform(-1, 1), side * (_KERB - 1.05))
            yaw = leg.yaw + (0.0 if side < 0 else np.pi) + random.normal(0, 0.015)
            yield from placed(car(int(random.integers(len(COLOURS)))), _upright(x, y, yaw))


def _houses(
    leg: Leg, side: int, start: float, end: float, random: np.random.Generator
) -> Iterator[Rectangle]:
    """Yield houses side by side, with hedges where one is missing."""
    ahead = start
    while ahead < end - 4.0:
        width = float(random.choice([9.0, 11.0, 13.0]))
        width = min(width, end - ahead)
        if random.random() < 0.22 and ahead > start:
            image, mask = textures.hedge(int(random.integers(3)), 6.0, 1.6)
            width = min(6.0, end - ahead)
            yield _panel(leg, side, ahead, ahead + width, _HOUSES, 0.0, 1.6, image, mask)
        else:
            kind = int(random.integers(textures.KINDS))
            height = float(random.choice([6.0, 7.5, 9.0]))
            yield from _house(
                leg,
                side,
                ahead,
                ahead + width,
                _HOUSES + float(random.choice([0, 0, 1.2, 2.6])),
                height,
                kind,
            )
        ahead += width


def _house(
    leg: Leg, side: int, start: float, end: float, front: float, height: float, kind: int
) -> Iterator[Rectangle]:
    """Yield front, sides and the slope of the roof of a house; facades of one kind and size are alike."""
    depth, ridge = 9.0, height / (1 - textures.GABLE)
    inward = -side * (leg.point(0, 1.0) - leg.point(0, 0.0))
    image = textures.facade(kind, _light(inward))
    yield _panel(leg, side, start, end, front, 0.0, height, image)
    for ahead, towards in ((start, -1.0), (end, 1.0)):
        wall, gable = textures.side_wall(kind, _light(towards * leg.along))
        # Seen from along the street; the edge at the road is right or left.
        near, far = leg.point(ahead, side * front), leg.point(ahead, side * (front + depth))
        first, last = (far, near) if towards * side < 0 else (near, far)
        yield _upright_panel(first, last, 0.0, ridge, wall, gable)
    tiles = textures.roof(kind)
    ends = (start, end) if side > 0 else (end, start)
    corner, across = (np.append(leg.point(ahead, side * (front + depth / 2)), ridge) for ahead in ends)
    eaves = np.append(leg.point(ends[0], side * (front - 0.25)), height - 0.1)
    yield Rectangle(corner, across - corner, eaves - corner, tiles)


def _tree(place: Array, random: np.random.Generator) -> Iterator[Rectangle]:
    """Yield a trunk and a crown of three sheets that cross, each seen from both sides."""
    crown_height, width = float(random.uniform(3.2, 4.6)), float(random.uniform(3.0, 4.4))
    base, turn = float(random.uniform(1.9, 2.6)), float(random.uniform(0, np.pi))
    for angle in turn + np.arange(3) * np.pi / 3:
        half = 0.5 * width * np.array([np.cos(angle), np.sin(angle)])
        image, mask = textures.crown(int(random.integers(6)), 4.0, 4.0)
        for sign in (1, -1):
            yield _upright_panel(
                place - sign * half, place + sign * half, base, base + crown_height, image, mask
            )
    trunk = textures.bark(0.3, 3.0)
    for angle in turn + np.arange(4) * np.pi / 2:
        ahead, across = 0.13 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        yield _upright_panel(
            place - ahead - across * -1.0, place - ahead + across * -1.0, 0.0, base + 1.2, trunk
        )


def _light(outward: Array) -> float:
    """Return how bright a wall is whose outer side faces along `outward` (2,)."""
    return 1.0 if float(outward @ _SUN) > 0.1 else _SHADE


def _panel(
    leg: Leg,
    side: int,
    start: float,
    end: float,
    left: float,
    low: float,
    high: float,
    texture: Image,
    mask: Mask | None = None,
) -> Rectangle:
    """Return an upright rectangle along a leg, on one of its sides, seen from the street."""
    first, last = (start, end) if side > 0 else (end, start)
    return _upright_panel(
        leg.point(first, side * left), leg.point(last, side * left), low, high, texture, mask
    )


def _upright_panel(
    first: Array,
    last: Array,
    low: float,
    high: float,
    texture: Image,
    mask: Mask | None = None,
) -> Rectangle:
    """Return an upright rectangle from its left to its right end (2,), as it is seen."""
    corner = np.append(first, high)
    return Rectangle(corner, np.append(last - first, 0.0), np.array([0.0, 0.0, low - high]), texture, 0, mask)


def _floor(
    leg: Leg, start: float, end: float, near: float, far: float, height: float, texture: Image
) -> Rectangle:
    """Return a level rectangle along a leg, seen from above; its texture's first row is the far side."""
    corner, right, below = (
        np.append(leg.point(*place), height) for place in ((start, far), (end, far), (start, near))
    )
    return Rectangle(corner, right - corner, below - corner, texture)
