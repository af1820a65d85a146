# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Neighbourhood consensus whose 4D kernel is separated into one 2D kernel per image.

On small grids a convolution costs a processor more to start than to compute. There each one is a product with
the dense matrix that it is, for all cells of the other image and both branches at once.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import conv2d, relu_

# Cells of an image up to which the dense products are cheaper on a CPU.
_LARGEST_DENSE = 80
_GRIDS_KEPT = 8


class SeparableLayer(nn.Module):
    """A 3x3x3x3 filter as 3x3 over image B, ReLU, then 3x3 over image A."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.over_b = nn.Conv2d(inputs, hidden, 3, padding=1)
        self.over_a = nn.Conv2d(hidden, outputs, 3, padding=1)

    def forward(self, volume: torch.Tensor, exchanged: bool = False) -> torch.Tensor:
        """Return (N, hA, wA, hB, wB, outputs) of a volume (N, hA, wA, hB, wB, inputs).

        With `exchanged` the images change their roles: what `forward` gives for the transposed volume.
        """
        first, second = (_convolve_a, _convolve_b) if exchanged else (_convolve_b, _convolve_a)
        return second(relu_(first(volume, self.over_b)), self.over_a)


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
        self._dense: dict[tuple[int, int], list[tuple[torch.Tensor, torch.Tensor]]] | None = None

    def fuse(self) -> SeparableConsensus:
        """Make the filter faster for inference only, in place: its weights must not change afterwards."""
        self._dense = {}
        return self

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Return the filtered volume, shape (N, 1, hA, wA, hB, wB) as given."""
        if self._is_small(volume):
            return self._by_products(volume)
        volume = volume.movedim(1, -1)
        return self._one_way(volume, False).add_(self._one_way(volume, True)).movedim(-1, 1)

    def _is_small(self, volume: torch.Tensor) -> bool:
        if self._dense is None or torch.is_grad_enabled() or torch.compiler.is_compiling():
            return False
        grid = volume.shape[2:4]
        square = grid == volume.shape[4:] and 0 < grid.numel() <= _LARGEST_DENSE
        return square and volume.device.type == "cpu"

    def _by_products(self, volume: torch.Tensor) -> torch.Tensor:
        count, _, height, width = volume.shape[:4]
        cells = height * width
        plain = volume.reshape(count, cells, cells)
        # The convolution is over the last axis; the other one takes its place for the next.
        planes = torch.cat([plain, plain.transpose(1, 2)])[..., None]
        filters = self._matrices(height, width)
        for number, (matrix, bias) in enumerate(filters):
            if number:
                planes = relu_(planes).transpose(1, 2)
            product = torch.addmm(bias, planes.reshape(2 * count * cells, -1), matrix)
            planes = product.view(2 * count, cells, cells, -1)
        forward, backward = planes[:count, ..., 0], planes[count:, ..., 0]
        return forward.transpose(1, 2).add(backward).view(volume.shape)

    def _matrices(self, height: int, width: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return each convolution, in order, as a matrix (cells inputs, cells outputs) and a bias."""
        assert self._dense is not None
        if (height, width) not in self._dense:
            if len(self._dense) == _GRIDS_KEPT:
                self._dense.clear()
            convolutions = [part for part in self.modules() if isinstance(part, nn.Conv2d)]
            self._dense[height, width] = [_matrix(part, height, width) for part in convolutions]
        return self._dense[height, width]

    def _one_way(self, volume: torch.Tensor, exchanged: bool) -> torch.Tensor:
        for number, layer in enumerate(self.layers):
            volume = layer(relu_(volume) if number else volume, exchanged)
        return volume


def _convolve_b(volume: torch.Tensor, convolution: nn.Conv2d) -> torch.Tensor:
    """Convolve over B: one image for each cell of A."""
    planes: torch.Tensor = convolution(volume.flatten(0, 2).movedim(-1, 1))
    return planes.movedim(1, -1).reshape(*volume.shape[:-1], -1)


def _convolve_a(volume: torch.Tensor, convolution: nn.Conv2d) -> torch.Tensor:
    """Convolve over A where it lies: neighbouring columns of A are as many steps apart as B has cells."""
    step = volume.shape[3] * volume.shape[4]
    planes = volume.flatten(2, 4).movedim(-1, 1)
    planes = conv2d(
        planes, convolution.weight, convolution.bias, padding=(1, step), dilation=(1, step)
    ).movedim(1, -1)
    return planes.reshape(*volume.shape[:-1], -1)


def _matrix(convolution: nn.Conv2d, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a convolution as a matrix (cells inputs, cells outputs), and its bias (cells outputs,)."""
    assert convolution.bias is not None
    size = height * width * convolution.in_channels
    units = torch.eye(size).view(size, height, width, -1).movedim(-1, 1)
    responses = conv2d(units, convolution.weight, padding=1)
    return responses.movedim(1, -1).reshape(size, -1), convolution.bias.repeat(height * width)
