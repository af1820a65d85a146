# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Neighbourhood consensus: 4D convolutions that keep what neighbouring matches agree on (NCNet, section 3.3).

A 4D convolution is run as 2D convolutions over B whose channels hold the taps along A: either k*k shifted
copies are gathered as input channels, or k*k outputs are produced and added where they belong. The symmetric
branch, the network on the transposed correlation, is the same network with the A and B taps of its kernels
exchanged, so both branches are one convolution with twice the channels and nothing is transposed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

# Floats of a hidden layer that are worked on at once; small enough to stay in a core's cache.
_BLOCK = 1 << 20


class NeighbourhoodConsensus(nn.Module):
    """N(C) = f(C) + T(f(T(C))), f a stack of 4D convolutions with ReLU, T the exchange of A and B.

    Attributes:
        weights: kernels (out, in, k, k, k, k), tap axes row A, column A, row B, column B.
        biases: (out,) each.
    """

    def __init__(
        self, channels: Sequence[int] = (16, 1), kernel_sizes: Sequence[int] = (3, 3), symmetric: bool = True
    ) -> None:
        """Build the layers: `channels` are the outputs of each, the last must be 1; kernel sizes are odd."""
        super().__init__()
        if len(channels) != len(kernel_sizes) or not channels or channels[-1] != 1:
            msg = f"consensus of channels {list(channels)} and kernels {list(kernel_sizes)}: "
            msg += "need as many of both, and 1 as the last channel"
            raise ValueError(msg)
        if any(size % 2 == 0 or size < 1 for size in kernel_sizes):
            msg = f"consensus kernels {list(kernel_sizes)}: sizes must be odd"
            raise ValueError(msg)
        self.symmetric = symmetric
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for inputs, outputs, size in zip((1, *channels), channels, kernel_sizes, strict=False):
            bound = 1 / math.sqrt(inputs * size**4)
            self.weights.append(
                nn.Parameter(torch.empty(outputs, inputs, *[size] * 4).uniform_(-bound, bound))
            )
            self.biases.append(nn.Parameter(torch.empty(outputs).uniform_(-bound, bound)))

    def forward(self, correlation: torch.Tensor) -> torch.Tensor:
        """Return the cleaned correlation, (B, hA, wA, hB, wB) as the input, never negative."""
        if correlation.numel() == 0:
            return correlation
        batch, height, width, height_b, width_b = correlation.shape
        last = len(self.weights) - 1
        kernel = self._kernel(last)
        pad = kernel.shape[-1] // 2
        # Sums over many taps lose too much in half precision.
        total = correlation.new_zeros(
            (len(kernel), batch, height + 2 * pad, width + 2 * pad, height_b, width_b), dtype=torch.float32
        )
        # The last layer adds into its output, so the layer before it is only ever held for some rows of A.
        channels = self._groups(last) * kernel.shape[1]
        rows = max(1, _BLOCK // max(1, batch * width * height_b * width_b * channels))
        for start in range(0, height, rows):
            hidden = self._hidden(correlation, last - 1, start, min(start + rows, height))
            self._add_last_layer(hidden, kernel, start, total)
        inner = total[:, :, pad : pad + height, pad : pad + width]
        return functional.relu(inner + self.biases[last].float()).sum(dim=0).to(correlation.dtype)

    def _kernel(self, layer: int) -> torch.Tensor:
        """Return the kernels of both branches, (branches * out, in, k, k, k, k)."""
        kernel = self.weights[layer]
        return torch.cat((kernel, kernel.permute(0, 1, 4, 5, 2, 3))) if self.symmetric else kernel

    def _groups(self, layer: int) -> int:
        """Return in how many branches the inputs come; both read the same correlation in layer 0."""
        return 2 if self.symmetric and layer > 0 else 1

    def _hidden(self, correlation: torch.Tensor, layer: int, start: int, stop: int) -> torch.Tensor:
        """Return rows [start, stop) of A after a layer, (B, rows, wA, hB, wB, C); layer -1 is the input."""
        if layer < 0:
            return correlation[:, start:stop].unsqueeze(-1)
        height, width = correlation.shape[1:3]
        kernel = self._kernel(layer).to(correlation.dtype)
        size = kernel.shape[-1]
        pad = size // 2
        low, high = max(start - pad, 0), min(stop + pad, height)
        inputs = self._hidden(correlation, layer - 1, low, high)
        inputs = functional.pad(inputs, (0, 0) * 3 + (pad, pad, low - start + pad, stop + pad - high))
        inputs = inputs.view(*inputs.shape[:-1], self._groups(layer), -1)
        taps = [
            inputs[:, row : row + stop - start, column : column + width]
            for row, column in itertools.product(range(size), repeat=2)
        ]
        weight = kernel.permute(0, 2, 3, 1, 4, 5).flatten(1, 3)
        bias = self.biases[layer].to(correlation.dtype).repeat(2 if self.symmetric else 1)
        gathered = torch.stack(taps, dim=-2).flatten(-3)
        return functional.relu(_convolve(gathered, weight, bias, self._groups(layer)))

    def _add_last_layer(
        self, hidden: torch.Tensor, kernel: torch.Tensor, start: int, total: torch.Tensor
    ) -> None:
        """Add what rows of A from `start` on give to the padded output (branch, B, hA, wA, hB, wB)."""
        size = kernel.shape[-1]
        weight = kernel.to(hidden.dtype).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
        terms = _convolve(hidden, weight, None, self._groups(len(self.weights) - 1))
        terms = terms.view(*terms.shape[:-1], len(kernel), -1).permute(6, 5, 0, 1, 2, 3, 4)
        rows, width = hidden.shape[1:3]
        for tap, (row, column) in enumerate(itertools.product(range(size), repeat=2)):
            top, left = start + size - 1 - row, size - 1 - column
            total[:, :, top : top + rows, left : left + width] += terms[tap]


def _convolve(
    inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, groups: int
) -> torch.Tensor:
    """Convolve over B for every cell of A, (B, rows, wA, hB, wB, C), channels last in memory as well."""
    images = inputs.flatten(0, 2).movedim(-1, 1)
    outputs = functional.conv2d(images, weight, bias, padding=weight.shape[-1] // 2, groups=groups)
    outputs = outputs.movedim(1, -1)
    return outputs.reshape(*inputs.shape[:3], *outputs.shape[1:])
