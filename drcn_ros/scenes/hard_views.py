# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of views in which matchers differ: far apart, turned, nearer, or in conditions that hide likeness.

Each set draws its places, motions and conditions from its own name and the number of the pair alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.lens import Distortion
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import Array
from drcn_ros.scenes import conditions
from drcn_ros.scenes.bare import bare_corridor
from drcn_ros.scenes.conditions import Condition, Seen
from drcn_ros.scenes.court import COURT_SIZE, court
from drcn_ros.scenes.paths import looking
from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.renderer import Renderer, Sky
from drcn_ros.scenes.rooms import ROOM_SIZE, room
from drcn_ros.scenes.surfaces import Rectangle

PAIRS = 30
_CAMERA = Camera(480, 360, 345.0, 345.0, 239.5, 179.5)
_FISHEYE = Camera(480, 360, 230.0, 230.0, 239.5, 179.5, Distortion.EQUIDISTANT, (0.01, -0.004, 0.0, 0.0))
_SKY = Sky((226, 234, 242), (150, 180, 214))
_NOISE = 2.0
# Views in which places are tried are so much smaller.
_REDUCED = 10
# One view holds at least this share of what the other one shows, and nothing is nearer than so many metres.
_OVERLAP, _NEAREST = 0.3, 0.5
# Relative difference of depths up to which both views see the same point.
_SAME_DEPTH = 0.05
_TRIES = 5000

_Motion = Callable[[Array, float, np.random.Generator], Array]


@dataclass(frozen=True)
class _Place:
    """A scene and the box (2, 3), metres, that cameras stand in."""

    scene: Callable[[], tuple[Rectangle, ...]]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    sky: Sky | None = None


_ROOM = _Place(room, (0.8, 0.8, 0.9), (ROOM_SIZE[0] - 0.8, ROOM_SIZE[1] - 0.8, 1.8))
_BARE = _Place(bare_corridor, (1.0, -1.2, 1.0), (18.0, 1.2, 1.7))
_COURT = _Place(court, (4.0, -3.5, 1.2), (COURT_SIZE[0] - 4.0, 3.5, 2.2), _SKY)


def _beside(pose: Array, depth: float, random: np.random.Generator) -> Array:
    """Step sideways by an eighth to a quarter of the depth and turn a little."""
    angle = random.uniform(0, 2 * np.pi)
    step = random.uniform(0.12, 0.25) * depth * np.array([np.cos(angle), 0.2 * np.sin(angle), np.sin(angle)])
    return _moved(pose, step, np.radians(random.normal(0, 5, 3)))


def _around(pose: Array, depth: float, random: np.random.Generator) -> Array:
    """Go 40 to 60 degrees around what is ahead, upright."""
    turn = rotation_matrix(np.array([0, 0, np.radians(random.uniform(40, 60)) * random.choice((-1.0, 1.0))]))
    centre = pose[:3, 3] + depth * pose[:3, 2]
    second = np.eye(4)
    second[:3, :3] = turn @ pose[:3, :3]
    second[:3, 3] = centre + turn @ (pose[:3, 3] - centre)
    return second


def _rolled(pose: Array, depth: float, random: np.random.Generator) -> Array:
    """Step sideways and roll by 40 to 60 degrees."""
    roll = np.radians(random.uniform(40, 60)) * random.choice((-1.0, 1.0))
    return _moved(_beside(pose, depth, random), np.zeros(3), np.array([0, 0, roll]))


def _ahead(pose: Array, depth: float, random: np.random.Generator) -> Array:
    """Go half of the way, so that everything ahead is twice as large."""
    step = 0.5 * depth * np.array([random.normal(0, 0.06), random.normal(0, 0.03), 1.0])
    return _moved(pose, step, np.radians(random.normal(0, 3, 3)))


def _moved(pose: Array, step: Array, turn: Array) -> Array:
    second: Array = pose.copy()
    second[:3, 3] += pose[:3, :3] @ step
    second[:3, :3] = pose[:3, :3] @ rotation_matrix(turn)
    return second


@dataclass(frozen=True)
class _Kind:
    place: _Place = _ROOM
    motion: _Motion = _beside
    condition: Condition = conditions.unchanged
    camera: Camera = _CAMERA


_KINDS = {
    "around": _Kind(motion=_around),
    "rolled": _Kind(motion=_rolled),
    "nearer": _Kind(motion=_ahead),
    "plain": _Kind(_BARE),
    "facades": _Kind(_COURT),
    "fisheye": _Kind(camera=_FISHEYE),
    "light": _Kind(condition=conditions.relit),
    "night": _Kind(condition=conditions.by_lamp),
    "rain": _Kind(condition=conditions.through_rain),
    "rows": _Kind(condition=conditions.by_rows),
}
HARD_VIEWS = tuple(_KINDS)


class HardViews:
    """Pairs of views of one kind, rendered when they are asked for.

    | name | views |
    |---|---|
    | around | of a room from 40 to 60 degrees farther round |
    | rolled | a step apart and rolled by 40 to 60 degrees |
    | nearer | from half the distance |
    | plain | of a corridor of bare walls and tiles |
    | facades | of two rows of houses that are all the same |
    | fisheye | through a lens of 120 degrees |
    | light | with a lamp at another place and another exposure |
    | night | by a lamp on the camera alone |
    | rain | through streaks of rain |
    | rows | read row after row while the camera turns |

    Args:
        name: as above.
        count: number of pairs.

    Attributes:
        camera: of all views.
        poses: (count, 2, 4, 4) T_world_camera of the first and the second view.

    Raises:
        InputError: there is no such kind.
    """

    def __init__(self, name: str, count: int = PAIRS) -> None:
        if name not in _KINDS:
            msg = f"views {name!r} are unknown, choose one of {', '.join(_KINDS)}"
            raise InputError(msg)
        self._kind = _KINDS[name]
        self._seed = zlib.crc32(name.encode())
        self.camera = self._kind.camera
        self.poses = np.stack([self._pair(number) for number in range(count)])

    def image(self, pair: int, side: int) -> Image:
        """Return the (H, W, 3) RGB image of the first (0) or second (1) view of a pair."""
        random = np.random.default_rng((self._seed, pair, side + 1))
        pose = self.poses[pair, side]
        seen = Seen(self._lens.render(pose).astype(np.float32), _points(self._lens, pose), self.camera, pose)
        light = self._kind.condition(seen, random)
        light = light + _NOISE * random.standard_normal(light.shape, np.float32)
        image: Image = np.clip(np.rint(light), 0, 255).astype(np.uint8)
        return image

    @cached_property
    def _lens(self) -> Renderer:
        return Renderer(self._kind.place.scene(), self.camera, self._kind.place.sky)

    @cached_property
    def _small(self) -> Renderer:
        camera = self.camera.scaled(self.camera.width // _REDUCED, self.camera.height // _REDUCED)
        return Renderer(self._kind.place.scene(), camera, self._kind.place.sky)

    def _pair(self, number: int) -> Array:
        """Return two poses (2, 4, 4) whose views overlap."""
        random = np.random.default_rng((self._seed, number))
        low, high = np.array(self._kind.place.low), np.array(self._kind.place.high)
        for _ in range(_TRIES):
            yaw, pitch = random.uniform(0, 2 * np.pi), random.uniform(-0.2, 0.1)
            first = looking(random.uniform(low, high), yaw, pitch)
            depth = self._small.depth(first)
            ahead = float(np.median(depth))
            second = self._kind.motion(first, min(ahead, 10.0), random)
            if not ((second[:3, 3] >= low) & (second[:3, 3] <= high)).all() or not np.isfinite(ahead):
                continue
            if min(depth.min(), self._small.depth(second).min()) < _NEAREST:
                continue
            # From half the distance only a quarter of what was seen is left.
            if max(self._shared(first, second), self._shared(second, first)) >= _OVERLAP:
                return np.stack([first, second])
        msg = f"no two views overlap in {_TRIES} tries"
        raise AssertionError(msg)

    def _shared(self, first: Array, second: Array) -> float:
        """Return the share of the first view's pixels that the second one sees too."""
        camera = self._small.camera
        points = _points(self._small, first)
        known = np.asarray(np.isfinite(points).all(axis=-1), np.bool_)
        there = (np.where(known[..., None], points, 0) - second[:3, 3]) @ second[:3, :3]
        known &= there[..., 2] > 0
        pixels = np.full((*known.shape, 2), -1.0)
        pixels[known] = camera.project(there[known][:, :2] / there[known][:, 2:])
        with np.errstate(invalid="ignore"):
            column, row = (np.rint(np.nan_to_num(pixels[..., axis], nan=-1.0)) for axis in (0, 1))
        inside: NDArray[np.bool_] = (
            known & (column >= 0) & (row >= 0) & (column < camera.width) & (row < camera.height)
        )
        depth = self._small.depth(second)[row[inside].astype(int), column[inside].astype(int)]
        same: NDArray[np.bool_] = np.abs(depth / there[inside][:, 2] - 1) < _SAME_DEPTH
        return float(same.sum()) / known.size


def _points(renderer: Renderer, pose: Array) -> Array:
    """Return (H, W, 3) the surface behind each pixel, metres, world; infinitely far where there is none."""
    camera = renderer.camera
    grid = np.dstack(np.meshgrid(np.arange(camera.width), np.arange(camera.height))).reshape(-1, 2)
    rays = np.column_stack([camera.normalise(grid.astype(np.float64)), np.ones(len(grid))])
    depth = renderer.depth(pose).astype(np.float64).reshape(-1, 1)
    with np.errstate(invalid="ignore"):
        points: Array = (rays * depth) @ pose[:3, :3].T + pose[:3, 3]
    return np.where(np.isfinite(depth), points, np.inf).reshape(camera.height, camera.width, 3)
