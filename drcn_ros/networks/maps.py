# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A dense map of a network together with where its cells lie in the image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn.functional import grid_sample

from drcn_ros.networks.constants import constant


@dataclass(frozen=True)
class DenseMap:
    """Values on a regular grid of cells.

    Attributes:
        values: (B, C, h, w).
        stride: pixels from one cell to the next.
        origin: pixel coordinate of the centre of cell 0, the same along x and y; the top-left pixel's
            centre is 0.
    """

    values: torch.Tensor
    stride: int
    origin: float

    def pixels(self, cells: torch.Tensor) -> torch.Tensor:
        """Return pixel coordinates of (fractional) cell coordinates."""
        return cells * self.stride + self.origin

    def cells(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return (fractional) cell coordinates of pixel coordinates."""
        return (pixels - self.origin) / self.stride

    def sample(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return (B, N, C) bilinear samples at (B, N, 2) pixels (x, y); the border is continued outside."""
        height, width = self.values.shape[-2:]
        size = constant([width, height], pixels)
        grid = (2 * self.cells(pixels) + 1) / size - 1
        sampled = grid_sample(
            self.values, grid[:, None].to(self.values.dtype), padding_mode="border", align_corners=False
        )
        return sampled[:, :, 0].transpose(1, 2)
