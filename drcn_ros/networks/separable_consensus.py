# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Neighbourhood consensus whose 4D kernel is separated into one 2D kernel per image."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import relu


class SeparableLayer(nn.Module):
    """A 3x3x3x3 filter as 3x3 over image B, ReLU, then 3x3 over image A."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.over_b = nn.Conv2d(inputs, hidden, 3, padding=1)
        self.over_a = nn.Conv2d(hidden, outputs, 3, padding=1)

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return (N, outputs, hA, wA, hB, wB) of a volume (N, inputs, hA, wA, hB, wB)."""
        count, channels, height_a, width_a, height_b, width_b = volume.shape
        planes = volume.permute(0, 2, 3, 1, 4, 5).reshape(-1, channels, height_b, width_b)
        planes = relu(self.over_b(planes)).view(count, height_a, width_a, -1, height_b, width_b)
        planes = planes.permute(0, 4, 5, 3, 1, 2).reshape(count * height_b * width_b, -1, height_a, width_a)
        result: torch.Tensor = self.over_a(planes)
        return result.view(count, height_b, width_b, -1, height_a, width_a).permute(0, 3, 4, 5, 1, 2)


class SeparableConsensus(nn.Module):
    """Symmetric neighbourhood consensus: f(C) + T(f(T(C))), where T exchanges both images.

    Attributes:
        temperature: factor that makes coarse cosines logits.
        gain: factor of the consensus where it is added to those logits.
    """

    def __init__(self, channels: int = 6, layers: int = 2) -> None:
        super().__init__()
        widths = [1, *[channels] * (layers - 1), 1]
        self.layers = nn.ModuleList(
            SeparableLayer(inputs, channels, outputs) for inputs, outputs in pairwise(widths)
        )
        self.temperature = nn.Parameter(torch.tensor(10.0))
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return the filtered volume, shape (N, 1, hA, wA, hB, wB) as given."""
        return self._one_way(volume) + _exchange(self._one_way(_exchange(volume)))

    def _one_way(self, volume: torch.Tensor) -> torch.Tensor:
        for number, layer in enumerate(self.layers):
            volume = layer(relu(volume) if number else volume)
        return volume


def _exchange(volume: torch.Tensor) -> torch.Tensor:
    return volume.permute(0, 1, 4, 5, 2, 3)
