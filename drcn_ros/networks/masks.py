# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN's masks: the cleaned coarse correlation as seen from a fine cell (DRCN, section 3.2)."""

from __future__ import annotations

import torch

from drcn_ros.networks.constants import constant
from drcn_ros.networks.fine_blocks import CELLS, RATIO

_SUM_FLOOR = 1e-15


def mask_rows(correlation: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Return (N, hB, wB) masks for positions (N, 2), x and y in coarse cells of A; differentiable.

    The correlation (hA, wA, hB, wB) is interpolated between four cells, the last row and column continued. As
    in the reference, a map is halved where x or y is 0 and vanishes where both are, then divided by its sum.
    """
    height, width = correlation.shape[:2]
    low = positions.floor().long()
    part_x, part_y = (positions - low).to(correlation.dtype)[:, :, None, None].unbind(dim=1)
    limit = constant([width - 1, height - 1], low)
    (x, y), (right, below) = low.minimum(limit).T, (low + 1).minimum(limit).T
    upper = (1 - part_x) * correlation[y, x] + part_x * correlation[y, right]
    lower = (1 - part_x) * correlation[below, x] + part_x * correlation[below, right]
    present = 1 - 0.5 * (positions == 0).sum(dim=1).to(correlation.dtype)[:, None, None]
    maps = present * ((1 - part_y) * upper + part_y * lower)
    return maps / (maps.sum(dim=(1, 2), keepdim=True) + _SUM_FLOOR)


class Masks:
    """What `mask_rows` gives at (x / 4, y / 4) for fine cells (x, y), without making it for all at once."""

    def __init__(self, correlation: torch.Tensor) -> None:
        """Take a correlation (hA, wA, hB, wB) whose rows are wanted for cells of A."""
        self.height, self.width = correlation.shape[:2]
        self.rows = correlation.flatten(2).flatten(0, 1)
        self.sums = self.rows.sum(dim=1)
        steps = torch.arange(RATIO, device=correlation.device) / RATIO
        y, x = (step.flatten().to(correlation.dtype) for step in torch.meshgrid(steps, steps, indexing="ij"))
        # (16, 4): share of each corner in each of the fine cells.
        self.shares = torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], dim=1)

    def corners(self, coarse: torch.Tensor) -> torch.Tensor:
        """Return (N, 4) coarse cells between which the fine cells of coarse cells (N,) lie."""
        y, x = coarse // self.width, coarse % self.width
        below, right = (y + 1).clamp(max=self.height - 1), (x + 1).clamp(max=self.width - 1)
        return torch.stack(
            [y * self.width + x, y * self.width + right, below * self.width + x, below * self.width + right],
            dim=1,
        )

    def scales(self, coarse: torch.Tensor) -> torch.Tensor:
        """Return (N, 16) factors that make the interpolated rows masks."""
        place = torch.arange(CELLS, device=coarse.device)
        left = (coarse % self.width == 0)[:, None] & (place % RATIO == 0)
        top = (coarse < self.width)[:, None] & (place < RATIO)
        present = 1 - 0.5 * (left.to(self.sums.dtype) + top.to(self.sums.dtype))
        return present / (present * (self.sums[self.corners(coarse)] @ self.shares.T) + _SUM_FLOOR)
