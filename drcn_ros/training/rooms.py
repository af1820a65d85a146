# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs from rendered rooms papered with photographs: true perspective, parallax and occlusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.rotation import rotation_matrix
from drcn_ros.geometry.types import Array
from drcn_ros.scenes.renderer import Renderer
from drcn_ros.scenes.surfaces import Rectangle, Texture, box, rectangle
from drcn_ros.training import warps
from drcn_ros.training.config import DegradationConfig, PairConfig
from drcn_ros.training.degradations import degrade
from drcn_ros.training.pairs import BORDER, LEAST_OVERLAP, PairBatch
from drcn_ros.training.photographs import Grey, Photographs

TEXELS_PER_METRE = 100.0
WALL_MARGIN = 1.0
# Relative difference of depths up to which a point counts as seen by both cameras.
SAME_DEPTH = 0.02
_VIEWS = 40
# Deviations of turn, radians, and step, metres, from one view to the other.
_SLIGHT, _STRONG, _WIDE = (0.03, 0.08), (0.12, 0.35), (0.35, 0.9)
# What is left of the contrast of a plain surface.
FADED = 0.02, 0.25


@dataclass(frozen=True)
class RenderedRooms:
    """Pairs of views of random rooms, a new room for each batch.

    Attributes:
        photographs: what walls and furniture are covered with.
        pairs: size of the images and share of strong changes of view.
        degradations: what is done to the images.
        device: where the batch is put.
    """

    photographs: Photographs
    pairs: PairConfig
    degradations: DegradationConfig
    device: torch.device

    def batch(self, count: int, random: np.random.Generator) -> PairBatch:
        """Return `count` pairs in one room."""
        size = self.pairs.size
        focal = size * random.uniform(0.7, 1.4)
        camera = Camera(size, size, focal, focal, (size - 1) / 2, (size - 1) / 2)
        extent = np.array([random.uniform(4, 9), random.uniform(4, 9), random.uniform(2.4, 3.5)])
        renderer = Renderer(random_room(extent, self._texture(random), random), camera)
        first: list[torch.Tensor] = []
        second: list[torch.Tensor] = []
        positions, valid, hard = [], [], []
        while len(first) < count:
            strong = bool(random.random() < self.pairs.hard)
            wide = strong and happens(self.pairs.wide, random)
            pair = _views(renderer, extent, reach_of(strong, wide), random)
            if pair is None:
                continue
            poses, (place, seen) = pair
            images = (cv2.cvtColor(renderer.render(pose), cv2.COLOR_RGB2GRAY) for pose in poses)
            for views, image in zip((first, second), images, strict=True):
                views.append(torch.from_numpy(np.asarray(image, np.float32) / 255)[None])
            positions.append(torch.from_numpy(place))
            valid.append(torch.from_numpy(seen))
            hard.append(strong)
        rendered = torch.stack([*first, *second]).to(self.device)
        degraded = degrade(rendered, np.array(hard, np.bool_), random, self.degradations)
        return PairBatch(
            degraded[:count],
            degraded[count:],
            torch.stack(positions).to(self.device),
            torch.stack(valid).to(self.device),
        )

    def _texture(self, random: np.random.Generator) -> Callable[[], Texture]:
        tiles = self.photographs.tiles

        def choose() -> Texture:
            tile = tiles[int(random.integers(len(tiles)))]
            tint = random.uniform(0.6, 1.0)
            if happens(self.pairs.plain, random):
                tile = _faded(tile, random.uniform(*FADED))

            def texture(columns: int, rows: int) -> NDArray[np.uint8]:
                # Mirrored copies meet without a seam.
                mirrored = np.block([[tile, tile[:, ::-1]], [tile[::-1], tile[::-1, ::-1]]])
                repeats = (-(-rows // mirrored.shape[0]), -(-columns // mirrored.shape[1]))
                whole = np.tile(mirrored, repeats)[:rows, :columns]
                return np.repeat((whole * tint).astype(np.uint8)[..., None], 3, axis=2)

            return texture

        return choose


def happens(share: float, random: np.random.Generator) -> bool:
    """Draw only where there is a choice: a share of 0 leaves all other draws as they were without it."""
    return share > 0 and bool(random.random() < share)


def reach_of(strong: bool, wide: bool) -> tuple[float, float]:
    """Return the deviations of turn, radians, and step, metres, from one view to the other."""
    if wide:
        return _WIDE
    return _STRONG if strong else _SLIGHT


def _faded(tile: Grey, contrast: float) -> Grey:
    mean = float(tile.mean())
    return np.asarray(mean + (tile - mean) * contrast, np.uint8)


def random_room(
    extent: Array, texture: Callable[[], Texture], random: np.random.Generator
) -> list[Rectangle]:
    """Return walls, floor, ceiling and some boxes; one corner is the origin."""
    length, width, height = (float(side) for side in extent)
    faces = [
        ((0, width, height), (length, 0, 0), (0, 0, -height)),
        ((length, width, height), (0, -width, 0), (0, 0, -height)),
        ((length, 0, height), (-length, 0, 0), (0, 0, -height)),
        ((0, 0, height), (0, width, 0), (0, 0, -height)),
        ((0, width, 0), (length, 0, 0), (0, -width, 0)),
        ((0, 0, height), (length, 0, 0), (0, width, 0)),
    ]
    scene = [rectangle(corner, across, down, texture(), TEXELS_PER_METRE) for corner, across, down in faces]
    for _ in range(int(random.integers(3, 9))):
        low = np.append(random.uniform(0, extent[:2] - 0.3), 0.0)
        high = low + random.uniform(0.2, [1.2, 1.2, 0.8 * height])
        scene += box(low.tolist(), high.tolist(), lambda face: texture(), TEXELS_PER_METRE)
    return scene


def _views(
    renderer: Renderer, extent: Array, reach: tuple[float, float], random: np.random.Generator
) -> tuple[tuple[Array, Array], tuple[NDArray[np.float32], NDArray[np.bool_]]] | None:
    """Return two poses with enough overlap and their correspondence, or None if none is found soon.

    Args:
        renderer: of the room.
        extent: (3,) of the room, metres.
        reach: deviations of the turn, radians, and of the step, metres.
        random: source of all that is random.
    """
    for _ in range(_VIEWS):
        poses = random_poses(extent, reach, random)
        if poses is None:
            continue
        first, second = poses
        place, seen = _correspondence(renderer, first, second)
        if seen.mean() >= LEAST_OVERLAP:
            return (first, second), (place, seen)
    return None


def random_poses(
    extent: Array, reach: tuple[float, float], random: np.random.Generator
) -> tuple[Array, Array] | None:
    """Return the poses (4, 4) of two cameras in a room, or None where the second stands too near a wall.

    Args:
        extent: (3,) of the room, metres.
        reach: deviations of the turn, radians, and of the step, metres.
        random: source of all that is random.
    """
    centre = random.uniform(WALL_MARGIN, extent - np.array([WALL_MARGIN, WALL_MARGIN, 0.5]))
    target = random.uniform(0, extent)
    first = looking(centre, target)
    turn = random.normal(0, reach[0], 3)
    step = random.normal(0, reach[1], 3)
    if random.random() < 0.5:
        # Forward motion is what a vehicle does, and what changes the scale.
        step = np.array([0.0, 0.0, step[2] * 2])
    second = first.copy()
    second[:3, 3] += first[:3, :3] @ step
    second[:3, :3] = first[:3, :3] @ rotation_matrix(turn)
    near = (second[:3, 3] < 0.3) | (second[:3, 3] > extent - 0.3)
    return None if near.any() else (first, second)


def looking(centre: Array, target: Array) -> Array:
    """Return the pose (4, 4) of a camera that looks from one point towards another, upright."""
    forward = target - centre
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right) + 1e-9
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack([right, np.cross(forward, right), forward])
    pose[:3, 3] = centre
    return pose


def _correspondence(
    renderer: Renderer, first: Array, second: Array
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the (S, S, 2) places in the first view of the second one's pixels, and which both see."""
    camera = renderer.camera
    size = camera.width
    depth = renderer.depth(second).astype(np.float64)
    # On a plane the inverse depth is linear over the image, so that its interpolation is exact.
    inverse = 1 / renderer.depth(first)
    known = np.isfinite(depth)
    grid = warps.pixel_grid(size)
    rays = np.dstack([(grid - [camera.cx, camera.cy]) / camera.fx, np.ones((size, size))])
    points = rays * np.where(known, depth, 1.0)[..., None]
    motion = np.linalg.inv(first) @ second
    moved = points @ motion[:3, :3].T + motion[:3, 3]
    front = known & (moved[..., 2] > 1e-3)
    flat = moved[..., :2] / np.where(front, moved[..., 2], 1.0)[..., None]
    place = (flat * camera.fx + [camera.cx, camera.cy]).astype(np.float32)
    inside = ((place >= BORDER) & (place < size - 1 - BORDER)).all(axis=-1)
    there = cv2.remap(inverse, place[..., 0], place[..., 1], cv2.INTER_LINEAR)
    seen = front & inside & (np.abs(there * moved[..., 2] - 1) < SAME_DEPTH)
    return place, np.asarray(seen, np.bool_)
