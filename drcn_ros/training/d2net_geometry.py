# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Which cells of D2-Net's training maps show the same point, from depth and camera poses."""

from __future__ import annotations

from dataclasses import dataclass

import torch

# The training network halves the image three times; its cells are centred between pixels.
STRIDE = 8
CELL_ORIGIN = 3.5
# Largest difference of the depths, in units of the scene, of a point that is not hidden.
_DEPTH_TOLERANCE = 0.05
# COLMAP, whose cameras the data have, puts the first pixel's centre at 0.5.
_COLMAP = 0.5


@dataclass(frozen=True)
class View:
    """One image of a training pair.

    Attributes:
        depth: (H, W) along the optical axis, 0 where unknown.
        intrinsics: (3, 3), of the uncropped image.
        pose: (4, 4), world to camera.
        crop: (row, column) of the image's first pixel in the uncropped image.
    """

    depth: torch.Tensor
    intrinsics: torch.Tensor
    pose: torch.Tensor
    crop: tuple[int, int] = (0, 0)

    def map_size(self) -> tuple[int, int]:
        """Return (rows, columns) of the training map."""
        return self.depth.shape[0] // STRIDE, self.depth.shape[1] // STRIDE


@dataclass(frozen=True)
class CellPairs:
    """Corresponding cells of two maps: (N, 2) int64 (row, column) each."""

    first: torch.Tensor
    second: torch.Tensor

    def __len__(self) -> int:
        return len(self.first)


def corresponding_cells(first: View, second: View) -> CellPairs:
    """Return the cells of the first map whose point the second image shows, with the cells where it does."""
    rows, columns = first.map_size()
    cells = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).to(first.depth.device)
    pixels = STRIDE * cells.to(first.depth.dtype) + CELL_ORIGIN
    depth, known = _sample(first.depth, pixels)
    pixels, depth, cells = pixels[known], depth[known], cells[known]
    projected, projected_depth = _project(first, second, pixels, depth)
    seen_depth, seen = _sample(second.depth, projected)
    seen &= (projected_depth - seen_depth).abs() < _DEPTH_TOLERANCE
    found = ((projected - CELL_ORIGIN) / STRIDE).round().long()
    size = torch.tensor(second.map_size(), device=found.device)
    seen &= ((found >= 0) & (found < size)).all(dim=1)
    return CellPairs(cells[seen], found[seen])


def _project(
    first: View, second: View, pixels: torch.Tensor, depth: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (N, 2) pixels (row, column) in the second image, and the depths there."""
    row, column = pixels.unbind(dim=1)
    x, y = column + first.crop[1] + _COLMAP, row + first.crop[0] + _COLMAP
    image_points = torch.stack([x, y, torch.ones_like(depth)])
    in_first = torch.linalg.inv(first.intrinsics) @ (image_points * depth)
    motion = second.pose @ torch.linalg.inv(first.pose)
    in_second = motion[:3, :3] @ in_first + motion[:3, 3:]
    x, y, z = second.intrinsics @ in_second
    projected = torch.stack([y / z - _COLMAP - second.crop[0], x / z - _COLMAP - second.crop[1]], dim=1)
    return projected, in_second[2]


def _sample(depth: torch.Tensor, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return bilinear depths at (N, 2) pixels, and where all four neighbours lie inside and are known."""
    size = torch.tensor(depth.shape, device=depth.device)
    low, high = pixels.floor(), pixels.ceil()
    inside = ((low >= 0) & (high <= size - 1)).all(dim=1)
    top, left = torch.where(inside[:, None], low, torch.zeros_like(low)).long().unbind(dim=1)
    bottom, right = torch.where(inside[:, None], high, torch.zeros_like(high)).long().unbind(dim=1)
    corners = torch.stack([depth[top, left], depth[top, right], depth[bottom, left], depth[bottom, right]])
    down, across = (pixels - low).unbind(dim=1)
    weights = torch.stack(
        [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across]
    )
    return (corners * weights).sum(dim=0), inside & (corners > 0).all(dim=0)
