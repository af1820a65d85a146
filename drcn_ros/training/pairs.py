# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs of views of photographs with the exact place of every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, grid_sample

from drcn_ros.training import warps
from drcn_ros.training.config import DegradationConfig, PairConfig
from drcn_ros.training.degradations import degrade
from drcn_ros.training.photographs import Grey, Photographs

# A pair must share at least this part of its second image.
LEAST_OVERLAP = 0.2
# Images with less contrast, as a deviation of values in [0, 1], show nothing to match.
LEAST_DEVIATION = 0.04
# Pixels at the border of the first image that count as outside, since keypoints are not found there.
BORDER = 2.0


@dataclass(frozen=True)
class PairBatch:
    """Pairs of images A and B with their correspondence.

    Attributes:
        first: (N, 1, S, S) images A in [0, 1].
        second: (N, 1, S, S) images B.
        positions: (N, S, S, 2) the place in A, pixels (x, y), of each pixel of B.
        valid: (N, S, S) bool, where that place is inside A and visible.
    """

    first: torch.Tensor
    second: torch.Tensor
    positions: torch.Tensor
    valid: torch.Tensor


class PairSource(Protocol):
    """Makes batches of pairs from a random generator alone."""

    def batch(self, count: int, random: np.random.Generator) -> PairBatch:
        """Return `count` pairs."""


@dataclass(frozen=True)
class WarpedPhotographs:
    """Pairs made by warping photographs twice.

    Attributes:
        photographs: what to warp.
        pairs: how the views differ.
        degradations: what is done to the images.
        device: where the images are made.
    """

    photographs: Photographs
    pairs: PairConfig
    degradations: DegradationConfig
    device: torch.device

    def batch(self, count: int, random: np.random.Generator) -> PairBatch:
        """Return `count` pairs of different photographs."""
        made = [self._pair(random) for _ in range(count)]
        first, second, positions, valid, hard = zip(*made, strict=True)
        images = degrade(torch.cat([*first, *second]), np.array(hard, np.bool_), random, self.degradations)
        return PairBatch(images[:count], images[count:], torch.stack(positions), torch.stack(valid))

    def _pair(
        self, random: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, bool]:
        size = self.pairs.size
        grid = warps.pixel_grid(size)
        while True:
            tile = self.photographs.tiles[int(random.integers(len(self.photographs.tiles)))]
            hard = bool(random.random() < self.pairs.hard)
            view = warps.random_view(random, size, (tile.shape[0], tile.shape[1]))
            homography = warps.random_homography(random, size, hard, self.pairs)
            moved = grid
            if random.random() < self.pairs.parallax:
                moved = moved + warps.random_parallax(random, size, hard)
            if random.random() < self.pairs.rolling_shutter:
                moved = moved + warps.rolling_shutter(random, size)
            positions = warps.apply(homography, moved)
            source = warps.apply(view, positions)
            inside = (positions >= BORDER) & (positions < size - 1 - BORDER)
            inside &= (source >= 0) & (source <= np.array(tile.shape[::-1]) - 1)
            valid = inside.all(axis=-1)
            if valid.mean() < LEAST_OVERLAP:
                continue
            first = self._look(tile, warps.apply(view, grid), warps.local_scale(view, size))
            if float(first.std()) >= LEAST_DEVIATION:
                break
        second = self._look(tile, source, warps.local_scale(view @ homography, size))
        place = torch.from_numpy(positions).to(self.device)
        return first, second, place, torch.from_numpy(valid).to(self.device), hard

    def _look(self, tile: Grey, source: warps.FloatArray, scale: float) -> torch.Tensor:
        """Return the (1, 1, S, S) image of a tile seen at pixels `source`, prefiltered for `scale`."""
        image = torch.from_numpy(tile).to(self.device)[None, None].float() / 255
        reduction = 1 << max(0, round(np.log2(max(scale, 1e-3))))
        reduction = min(reduction, min(tile.shape) // 4)
        if reduction > 1:
            image = avg_pool2d(image, reduction)
        height, width = image.shape[-2:]
        at = torch.from_numpy(source).to(self.device)
        # Pixel p of the tile is at (p + 0.5) / reduction of the reduced one, measured from its edge.
        extent = torch.tensor([width, height], device=self.device) * reduction
        grid = (2 * at + 1) / extent - 1
        return grid_sample(image, grid[None], padding_mode="reflection", align_corners=False)


class Mixture:
    """Takes each batch from one of several sources.

    Args:
        sources: with their shares, which are taken relative to their sum.
    """

    def __init__(self, sources: Sequence[tuple[PairSource, float]]) -> None:
        self._sources = [source for source, share in sources if share > 0]
        shares = np.array([share for _, share in sources if share > 0])
        self._shares = shares / shares.sum()

    def batch(self, count: int, random: np.random.Generator) -> PairBatch:
        """Return `count` pairs of one source."""
        if len(self._sources) == 1:
            return self._sources[0].batch(count, random)
        return self._sources[int(random.choice(len(self._sources), p=self._shares))].batch(count, random)
