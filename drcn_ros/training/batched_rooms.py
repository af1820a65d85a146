# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs from rooms as in `rooms`, rendered on a device, all pairs of a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import avg_pool2d

from drcn_ros.geometry.types import Array
from drcn_ros.scenes.surfaces import Texture
from drcn_ros.training.batched_casting import Cover, Pyramids, Scene
from drcn_ros.training.batched_degradations import degrade_batch
from drcn_ros.training.batched_views import Atlas, pixel_grid, upload
from drcn_ros.training.config import DegradationConfig, PairConfig
from drcn_ros.training.pairs import BORDER, LEAST_OVERLAP, PairBatch
from drcn_ros.training.photographs import Photographs
from drcn_ros.training.rooms import (
    FADED,
    SAME_DEPTH,
    TEXELS_PER_METRE,
    happens,
    random_poses,
    random_room,
    reach_of,
)

# Rays per pixel along each axis.
_SUPERSAMPLING = 2
_STUB = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True)
class BatchedRooms:
    """What `RenderedRooms` makes, with the same rooms, cameras and shares of each change.

    A seed gives other pairs than there, and the same on every device, to within rounding.

    Attributes:
        photographs: what walls and furniture are covered with.
        pairs: size of the images and share of strong changes of view.
        degradations: what is done to the images.
        device: where the images are made.
    """

    photographs: Photographs
    pairs: PairConfig
    degradations: DegradationConfig
    device: torch.device

    @cached_property
    def _tiles(self) -> tuple[Atlas, Pyramids]:
        atlas = Atlas.of(self.photographs.tiles, self.device)
        return atlas, Pyramids.of(atlas)

    def batch(self, count: int, random: np.random.Generator) -> PairBatch:
        """Return `count` pairs in one room."""
        size = self.pairs.size
        focal = size * random.uniform(0.7, 1.4)
        extent = np.array([random.uniform(4, 9), random.uniform(4, 9), random.uniform(2.4, 3.5)])
        scene = self._room(extent, random)
        # More than asked for: those that share the most are taken, which no host has to know.
        poses, hard = self._poses(2 * count + 4, extent, random)
        first, second = (upload(poses[:, view], self.device) for view in (0, 1))
        grid = pixel_grid(size, self.device)
        positions, valid = _correspondence(scene, first, second, _rays(grid, size, focal), size, focal)
        usable = valid.float().mean(dim=(1, 2)) >= LEAST_OVERLAP
        chosen = (~usable).long().argsort(stable=True)[:count]
        fine = (pixel_grid(size * _SUPERSAMPLING, self.device) + 0.5) / _SUPERSAMPLING - 0.5
        rays = _rays(fine, size, focal)
        images = torch.cat([self._image(scene, pose[chosen], rays, focal) for pose in (first, second)])
        images = degrade_batch(images, upload(hard, self.device)[chosen], random, self.degradations)
        return PairBatch(images[:count], images[count:], positions[chosen], valid[chosen])

    def _room(self, extent: Array, random: np.random.Generator) -> Scene:
        covers: list[tuple[int, float, float]] = []

        def choose() -> None:
            tile = int(random.integers(len(self.photographs.tiles)))
            tint, contrast = random.uniform(0.6, 1.0), 1.0
            if happens(self.pairs.plain, random):
                contrast = random.uniform(*FADED)
            mean = float(self.photographs.tiles[tile].mean())
            covers.append((tile, tint * contrast, tint * mean * (1 - contrast)))

        def texture() -> Texture:
            choose()
            return lambda columns, rows: _STUB

        rectangles = random_room(extent, texture, random)
        tiles, gain, offset = (np.array(part) for part in zip(*covers, strict=True))
        atlas, pyramids = self._tiles
        return Scene(rectangles, Cover(tiles, gain, offset), TEXELS_PER_METRE, pyramids, atlas)

    def _poses(
        self, count: int, extent: Array, random: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return (N, 2, 4, 4) poses of both cameras, and which changes of view (N,) are strong."""
        poses: list[tuple[Array, Array]] = []
        hard = []
        while len(poses) < count:
            strong = bool(random.random() < self.pairs.hard)
            wide = strong and happens(self.pairs.wide, random)
            pair = random_poses(extent, reach_of(strong, wide), random)
            if pair is not None:
                poses.append(pair)
                hard.append(strong)
        return np.array(poses), np.array(hard)

    def _image(self, scene: Scene, poses: torch.Tensor, rays: torch.Tensor, focal: float) -> torch.Tensor:
        """Return (N, 1, S, S) images in [0, 1]."""
        hits = scene.cast(poses[:, :3, 3], _turned(poses, rays))
        return avg_pool2d(scene.colours(hits, focal)[:, None], _SUPERSAMPLING)


def _rays(pixels: torch.Tensor, size: int, focal: float) -> torch.Tensor:
    """Return viewing rays (..., 3), of length 1 along the optical axis, of pixels (..., 2)."""
    plane = (pixels - (size - 1) / 2) / focal
    return torch.cat([plane, torch.ones_like(plane[..., :1])], dim=-1)


def _turned(poses: torch.Tensor, rays: torch.Tensor) -> torch.Tensor:
    """Return rays (H, W, 3) or (N, H, W, 3) of cameras at poses (N, 4, 4) in the world."""
    if rays.ndim == 3:
        rays = rays.expand(len(poses), -1, -1, -1)
    return torch.einsum("nij,nyxj->nyxi", poses[:, :3, :3], rays)


def _correspondence(
    scene: Scene, first: torch.Tensor, second: torch.Tensor, rays: torch.Tensor, size: int, focal: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (N, S, S, 2) places in the first view of the second one's pixels, and which both see."""
    depth = scene.cast(second[:, :3, 3], _turned(second, rays)).distance
    known = torch.isfinite(depth)
    points = rays * torch.where(known, depth, 1.0)[..., None]
    world = torch.einsum("nij,nyxj->nyxi", second[:, :3, :3], points) + second[:, None, None, :3, 3]
    seen = torch.einsum("nji,nyxj->nyxi", first[:, :3, :3], world - first[:, None, None, :3, 3])
    front = known & (seen[..., 2] > 1e-3)
    flat = seen[..., :2] / torch.where(front, seen[..., 2], 1.0)[..., None]
    places = flat * focal + (size - 1) / 2
    inside = ((places >= BORDER) & (places < size - 1 - BORDER)).all(dim=-1)
    # What the first camera sees in that direction must be as far away.
    there = scene.cast(first[:, :3, 3], _turned(first, _rays(places, size, focal))).distance
    same = (there - seen[..., 2]).abs() < SAME_DEPTH * seen[..., 2]
    return places, front & inside & same
