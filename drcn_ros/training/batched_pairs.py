# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs by warping photographs as in `pairs`, a whole batch at a time on a device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from drcn_ros.training.batched_degradations import degrade_batch
from drcn_ros.training.batched_views import Atlas, mapped, pixel_grid, shifts, upload, views
from drcn_ros.training.config import DegradationConfig, PairConfig
from drcn_ros.training.pairs import BORDER, LEAST_DEVIATION, LEAST_OVERLAP, PairBatch
from drcn_ros.training.photographs import Photographs


@dataclass(frozen=True)
class BatchedPhotographs:
    """What `WarpedPhotographs` makes, with the same geometry and the same shares of each change.

    The random numbers are drawn in another order, so a seed gives other pairs than there; it gives the same
    on every device, to within rounding. More pairs are made than asked for, since some share too little or
    show nothing: which ones those are no host has to know.

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

    @cached_property
    def atlas(self) -> Atlas:
        """The tiles on the device."""
        return Atlas.of(self.photographs.tiles, self.device)

    def batch(self, count: int, random: np.random.Generator) -> PairBatch:
        """Return `count` pairs of different photographs."""
        drawn, size = count + count // 2 + 2, self.pairs.size
        tiles = random.integers(len(self.photographs.tiles), size=drawn)
        hard = random.random(drawn) < self.pairs.hard
        shapes = self.atlas.shapes[tiles]
        looks, homographies, scales = views(random, shapes, hard, self.pairs)
        grid = pixel_grid(size, self.device)
        view = upload(looks, self.device)
        moved = grid + shifts(random, drawn, hard, self.pairs, self.device)
        positions = mapped(upload(homographies, self.device), moved)
        source = mapped(view, positions)
        last = upload(shapes[:, ::-1] - 1.0, self.device)[:, None, None]
        inside = (positions >= BORDER) & (positions < size - 1 - BORDER)
        valid = (inside & (source >= 0) & (source <= last)).all(dim=-1)
        first = self.atlas.look(tiles, mapped(view, grid.expand(drawn, -1, -1, -1)), scales[:, 0])
        usable = valid.float().mean(dim=(1, 2)) >= LEAST_OVERLAP
        usable = usable & (first.std(dim=(1, 2, 3)) >= LEAST_DEVIATION)
        chosen = (~usable).long().argsort(stable=True)[:count]
        second = self.atlas.look(tiles, source, scales[:, 1])
        images = torch.cat([first[chosen], second[chosen]])
        images = degrade_batch(images, upload(hard, self.device)[chosen], random, self.degradations)
        return PairBatch(images[:count], images[count:], positions[chosen], valid[chosen])
