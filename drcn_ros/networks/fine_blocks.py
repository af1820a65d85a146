# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Fine features ordered by coarse cell, and what bounds their products cheaply.

Fine cells are numbered row by row. Fine cell (x, y) lies in coarse cell (x // 4, y // 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

# Fine cells per coarse cell, along one axis and in all.
RATIO = 4
CELLS = RATIO * RATIO
# Components per component of a sketch, and what keeps its bound above rounding.
_SKETCHED = 8
_ROUNDING = 1e-6


def fine_cells(coarse: torch.Tensor, width: int) -> torch.Tensor:
    """Return (N, 16) numbers of the fine cells in coarse cells (N,) of a coarse map of a width."""
    step = torch.arange(RATIO, device=coarse.device)
    inside = step[:, None] * (RATIO * width) + step
    first = coarse // width * (CELLS * width) + coarse % width * RATIO
    return first[:, None] + inside.flatten()


@dataclass(frozen=True)
class Sketch:
    """Features in a few directions that hold most of their length, and the length of what is left out.

    The product of two vectors is at most the product of what is kept plus that of the lengths left out. Any
    directions give a bound; the principal ones of the features themselves give a close one.

    Attributes:
        basis: (C, D) orthonormal.
        values: (h w 16, D + 1), kept components and the length of the rest.
    """

    basis: torch.Tensor
    values: torch.Tensor

    @classmethod
    def of(cls, values: torch.Tensor) -> Sketch:
        """Sketch features (h w, 16, C)."""
        some = values[:, :: CELLS // 2].flatten(0, 1)
        count = max(1, min(values.shape[2] // _SKETCHED, len(some)))
        # One step of subspace iteration from features themselves: nearly the principal directions.
        start = some[:: max(1, len(some) // count)][:count].T
        basis = torch.linalg.qr(some.T @ (some @ start)).Q
        return cls(basis, _sketched(values.flatten(0, 1), basis))

    def bounds(self, features: torch.Tensor) -> torch.Tensor:
        """Return (N, cells): what products of (N, C) with a coarse cell's fine cells never exceed."""
        products = _sketched(features, self.basis) @ self.values.T
        return products.view(len(features), -1, CELLS).amax(dim=2)


def _sketched(vectors: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    kept = vectors @ basis
    rest = vectors.square().sum(dim=1) - kept.square().sum(dim=1)
    # Rounding must not make the bound too low.
    return torch.cat([kept, (rest.clamp(min=0) + _ROUNDING).sqrt()[:, None]], dim=1)


@dataclass(frozen=True)
class FineBlocks:
    """Fine features ordered by coarse cell.

    Attributes:
        values: (h w, 16, C), cells and within them fine cells row by row.
        width: w, of the coarse map.
    """

    values: torch.Tensor
    width: int

    @classmethod
    def of(cls, fine: torch.Tensor) -> FineBlocks:
        """Reorder a (C, 4 h, 4 w) map."""
        channels, height, width = fine.shape
        split = fine.view(channels, height // RATIO, RATIO, width // RATIO, RATIO)
        return cls(split.permute(1, 3, 2, 4, 0).reshape(-1, CELLS, channels), width // RATIO)

    @cached_property
    def sketch(self) -> Sketch:
        """What bounds products with these features cheaply; made when it is first needed."""
        return Sketch.of(self.values)

    def locate(self, cells: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the coarse cell and the place in it of fine cell numbers."""
        y, x = cells // (RATIO * self.width), cells % (RATIO * self.width)
        coarse = y // RATIO * self.width + x // RATIO
        return coarse, y % RATIO * RATIO + x % RATIO

    def number(self, coarse: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        """Return the fine cell numbers of places in coarse cells."""
        y = coarse // self.width * RATIO + place // RATIO
        return y * (RATIO * self.width) + coarse % self.width * RATIO + place % RATIO
