# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""D2-Net's hard detection (section 3.1 of the paper): local maxima of the strongest channel, no edges.

Derivatives are evaluated only at cells that pass the maximum tests: the same points in the same order as
by filters over all channels, for a fraction of the work.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

# (e + 1)^2 / e for the largest ratio e = 5 of the principal curvatures, as in SIFT.
_LARGEST_EDGE_RATIO = 7.2
_OFFSETS = tuple((row, column) for row in (-1, 0, 1) for column in (-1, 0, 1))


@dataclass(frozen=True)
class Detections:
    """Detected cells of one dense map, by channel, then row, then column.

    Attributes:
        channel, row, column: (N,) int64.
        patch: (N, 3, 3) values around each cell in its channel, zero outside the map.
    """

    channel: torch.Tensor
    row: torch.Tensor
    column: torch.Tensor
    patch: torch.Tensor

    def __len__(self) -> int:
        return len(self.channel)

    def select(self, mask: torch.Tensor) -> Detections:
        """Return the detections (N,) for which `mask` holds."""
        # One look at the mask: each index by a mask would have a GPU tell how many places it has.
        kept = mask.nonzero()[:, 0]
        return Detections(self.channel[kept], self.row[kept], self.column[kept], self.patch[kept])

    def scores(self) -> torch.Tensor:
        """Return (N,) values at the cells themselves."""
        return self.patch[:, 1, 1]

    def subpixel_steps(self) -> torch.Tensor:
        """Return (N, 2) Newton steps (row, column) to the extremum of the local quadratic, in cells."""
        d_ii, d_jj, d_ij, determinant = self._hessian()
        d_i = (self.patch[:, 2, 1] - self.patch[:, 0, 1]) / 2
        d_j = (self.patch[:, 1, 2] - self.patch[:, 1, 0]) / 2
        step_i = -(d_jj * d_i - d_ij * d_j) / determinant
        step_j = -(d_ii * d_j - d_ij * d_i) / determinant
        return torch.stack([step_i, step_j], dim=1)

    def is_blob(self) -> torch.Tensor:
        """Return (N,) whether both principal curvatures have one sign and are of similar size."""
        d_ii, d_jj, _, determinant = self._hessian()
        trace = d_ii + d_jj
        return (determinant > 0) & (trace * trace / determinant <= _LARGEST_EDGE_RATIO)

    def _hessian(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        p = self.patch
        d_ii = p[:, 0, 1] - 2 * p[:, 1, 1] + p[:, 2, 1]
        d_jj = p[:, 1, 0] - 2 * p[:, 1, 1] + p[:, 1, 2]
        d_ij = (p[:, 0, 0] - p[:, 0, 2] - p[:, 2, 0] + p[:, 2, 2]) / 4
        return d_ii, d_jj, d_ij, d_ii * d_jj - d_ij * d_ij


def detect(dense: torch.Tensor) -> Detections:
    """Return the hard detections of a dense map (C, h, w).

    A cell counts in a channel when the channel is the strongest there, when no neighbour in that channel is
    stronger, and when it is no edge. Ties count on both sides.
    """
    strongest = dense.amax(0)
    # After ReLU a cell whose channels are all 0 ties in every channel; being flat it can be no detection.
    candidates = ((dense == strongest) & (strongest != 0)).nonzero()
    channel, row, column = candidates.unbind(dim=1)
    height, width = dense.shape[1:]
    values, inside = [], []
    for row_offset, column_offset in _OFFSETS:
        i, j = row + row_offset, column + column_offset
        inside.append((i >= 0) & (i < height) & (j >= 0) & (j < width))
        values.append(dense[channel, i.clamp(0, height - 1), j.clamp(0, width - 1)])
    patch, valid = torch.stack(values, dim=1), torch.stack(inside, dim=1)
    is_peak = ((patch <= patch[:, 4:5]) | ~valid).all(dim=1)
    patch = (patch * valid).view(-1, 3, 3)
    found = Detections(channel, row, column, patch)
    if dense.device.type != "cpu":
        # More arithmetic, but a GPU is waited for once less.
        return found.select(is_peak & found.is_blob())
    peaks = found.select(is_peak)
    return peaks.select(peaks.is_blob())
