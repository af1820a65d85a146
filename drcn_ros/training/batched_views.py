# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of views of photographs as `warps` makes them, a whole batch at a time on a device.

What is random is drawn on the host; the device computes from it, without numbers that come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import avg_pool2d, grid_sample, interpolate

from drcn_ros.training import warps
from drcn_ros.training.config import PairConfig
from drcn_ros.training.photographs import Grey

# Of a made-up depth: most nodes of its smooth part along an axis, most planar pieces, most objects.
_NODES, _PIECES, _OBJECTS = 5, 12, 3
_FAR = 1e9


@dataclass(frozen=True)
class Atlas:
    """All tiles in one array.

    Attributes:
        pixels: (T, 1, H, W) uint8 on the device, smaller tiles continued.
        shapes: (T, 2) height and width of each.
    """

    pixels: torch.Tensor
    shapes: NDArray[np.int64]

    @classmethod
    def of(cls, tiles: Sequence[Grey], device: torch.device) -> Atlas:
        """Bring tiles to a device."""
        shapes = np.array([tile.shape for tile in tiles])
        # Whole at every reduction.
        height, width = (-(-shapes.max(axis=0) // 16) * 16).tolist()
        pixels = np.zeros((len(tiles), 1, height, width), np.uint8)
        for slot, tile in zip(pixels[:, 0], tiles, strict=True):
            margins = [(0, height - tile.shape[0]), (0, width - tile.shape[1])]
            slot[:] = np.pad(tile, margins, mode="symmetric")
        return cls(torch.from_numpy(pixels).to(device), shapes)

    def look(
        self, tiles: NDArray[np.int64], places: torch.Tensor, scales: NDArray[np.float64]
    ) -> torch.Tensor:
        """Return (N, 1, S, S) images in [0, 1] of tiles (N,).

        Args:
            tiles: which ones.
            places: (N, S, S, 2) pixels of the tiles, reflected where they are outside.
            scales: (N,) pixels of the tile for one of the image: it is reduced before.
        """
        device = self.pixels.device
        limit = upload(self.shapes[tiles][:, ::-1] - 1.0, device)[:, None, None]
        period = 2 * limit
        places = places.abs() % period
        places = torch.minimum(places, period - places)
        reductions = 1 << np.maximum(0, np.rint(np.log2(np.maximum(scales, 1e-3)))).astype(int)
        reductions = np.minimum(reductions, 8)
        images = places.new_empty(len(tiles), 1, *places.shape[1:3])
        for reduction in np.unique(reductions):
            rows = np.flatnonzero(reductions == reduction)
            chosen = upload(rows, device)
            pixels = self.pixels[upload(tiles[rows], device)].float() / 255
            if reduction > 1:
                pixels = avg_pool2d(pixels, int(reduction))
            extent = upload(np.array(self.pixels.shape[:1:-1], np.float32), device)
            grid = (2 * places[chosen] + 1) / extent - 1
            images[chosen] = grid_sample(pixels, grid, padding_mode="border", align_corners=False)
        return images


def upload(values: NDArray[np.generic], device: torch.device) -> torch.Tensor:
    """Return numbers on a device, floats in single precision; the host need not wait."""
    kind = np.float32 if values.dtype.kind == "f" else values.dtype
    return torch.from_numpy(np.ascontiguousarray(values, kind)).to(device, non_blocking=True)


def mapped(homographies: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Return points (N, S, S, 2) mapped by homographies (N, 3, 3)."""
    rows = homographies[:, :, None, None]
    x, y = points.unbind(dim=-1)
    along, down, weight = (
        rows[:, k, ..., 0] * x + rows[:, k, ..., 1] * y + rows[:, k, ..., 2] for k in range(3)
    )
    return torch.stack([along / weight, down / weight], dim=-1)


def shifts(
    random: np.random.Generator, count: int, hard: NDArray[np.bool_], config: PairConfig, device: torch.device
) -> torch.Tensor:
    """Return (N, S, S, 2) pixels: parallax over made-up depths, and rolling shutter, each for its share."""
    size = config.size
    depth = _inverse_depth(random, count, size, device)
    largest = random.uniform(0, 1, count) * np.where(hard, 0.10, 0.05) * size
    largest *= random.random(count) < config.parallax
    angle = random.uniform(0, 2 * np.pi, count)
    sideways = upload(np.stack([np.cos(angle), np.sin(angle)], axis=1), device)[:, None, None]
    forward = pixel_grid(size, device) / (size / 2) - 1
    along = upload(random.random(count) < 0.5, device)[:, None, None, None]
    parallax = depth[..., None] * column(largest, device) * torch.where(along, sideways, forward)
    time = torch.linspace(-1, 1, size, device=device)[:, None]
    turning = (random.random(count) < config.rolling_shutter)[:, None]
    speed, jerk = (
        upload(random.uniform(-most, most, (count, 2)) * turning, device)[:, None, None] for most in (4, 2)
    )
    return parallax + (time[:, None] * speed + (time**2)[:, None] * jerk)


def views(
    random: np.random.Generator, shapes: NDArray[np.int64], hard: NDArray[np.bool_], config: PairConfig
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return views (N, 3, 3) of tiles, homographies (N, 3, 3) from B to A, and scales (N, 2) of A and B."""
    found, size = [], config.size
    for shape, strong in zip(shapes, hard, strict=True):
        view = warps.random_view(random, size, (int(shape[0]), int(shape[1])))
        homography = warps.random_homography(random, size, bool(strong), config)
        scales = [warps.local_scale(matrix, size) for matrix in (view, view @ homography)]
        found.append((view, homography, scales))
    first, second, third = (np.array(part, np.float64) for part in zip(*found, strict=True))
    return first, second, third


def pixel_grid(size: int, device: torch.device) -> torch.Tensor:
    """Return (S, S, 2) pixel coordinates (x, y)."""
    line = torch.arange(size, device=device, dtype=torch.float32)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], dim=-1)


def column(values: NDArray[np.float64], device: torch.device) -> torch.Tensor:
    """Return (N, 1, 1, 1) numbers on the device."""
    return upload(values, device)[:, None, None, None]


def _inverse_depth(random: np.random.Generator, count: int, size: int, device: torch.device) -> torch.Tensor:
    """Return (N, S, S) with mean 0 and largest magnitude 1: smooth, piecewise planar, with objects."""
    nodes = random.integers(2, _NODES + 1, count)
    coarse = random.random((count, 1, _NODES, _NODES))
    depth = torch.empty(count, 1, size, size, device=device)
    for number in np.unique(nodes):
        rows = np.flatnonzero(nodes == number)
        small = upload(coarse[rows, :, :number, :number], device)
        depth[upload(rows, device)] = interpolate(
            small, size=(size, size), mode="bicubic", align_corners=False
        )
    depth = depth[:, 0]
    # Planar pieces: the nearest seed tells the plane. Seeds that a depth does not have are far away.
    pieces = 2 * random.integers(0, _PIECES // 2 + 1, count)
    seeds = random.random((count, _PIECES, 2)) * size
    seeds[np.arange(_PIECES) >= np.maximum(pieces, 1)[:, None]] = _FAR
    line = torch.arange(size, device=device, dtype=torch.float32)
    squares = (line - upload(seeds, device)[..., None]) ** 2
    nearest = (squares[:, :, 0, None, :] + squares[:, :, 1, :, None]).argmin(dim=1).flatten(1)
    planes = np.concatenate(
        [random.normal(0, 0.5, (1, count, _PIECES)), random.normal(0, 0.5 / size, (2, count, _PIECES))]
    )
    offset, across, down = (
        upload(plane, device).gather(1, nearest).view(count, size, size) for plane in planes
    )
    planar = depth * upload(random.uniform(0.2, 1, count), device)[:, None, None] + offset
    planar = planar + across * (line - size / 2) + down * (line - size / 2)[:, None]
    depth = torch.where(upload(pieces > 0, device)[:, None, None], planar, depth)
    # Objects are ellipses in front.
    number = random.integers(0, _OBJECTS + 1, count)
    for index in range(_OBJECTS):
        centre = upload(random.uniform(0, size, (count, 2)), device)[:, None, None]
        radii = upload(size * random.uniform(0.05, 0.3, (count, 2)), device)[:, None, None]
        height = random.uniform(0.3, 1.0, count) * (number > index)
        inside = ((pixel_grid(size, device) - centre) / radii).square().sum(dim=-1) < 1
        depth = depth + inside * upload(height, device)[:, None, None]
    depth = depth - depth.mean(dim=(1, 2), keepdim=True)
    return depth / (depth.abs().amax(dim=(1, 2), keepdim=True) + 1e-6)
