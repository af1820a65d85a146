# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""3x3 convolution by Winograd's minimal filtering F(4x4, 3x3): a quarter of the multiplications.

After Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. Their interpolation
points 0, 1, -1, 2, -2 cost a decimal digit; the points 0, +-1/sqrt(2), +-sqrt(2) lose next to nothing.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn

_POINTS = (0.0, math.sqrt(0.5), -math.sqrt(0.5), math.sqrt(2.0), -math.sqrt(2.0))
_OUT = 4
_IN = 6
_KERNEL = 3
# Tiles transformed together: enough rows for an efficient matrix product, few enough to stay small.
_TILES = 128
_FILTERS = 32


class WinogradConv2d(nn.Module):
    """What a 3x3 convolution with stride 1 and padding equal to its dilation computes, for inference on CPUs.

    Worth its transforms from about 512 channels on. The result has the channels last in memory.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None
    input_transform: torch.Tensor
    output_transform: torch.Tensor

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        assert convolution.kernel_size == (_KERNEL, _KERNEL)
        assert convolution.stride == (1, 1)
        assert convolution.padding == convolution.dilation
        assert convolution.groups == 1
        self.dilation = int(convolution.dilation[0])
        filters, data, result = _transforms()
        kernel = convolution.weight.detach()
        weight = kernel.new_empty(_IN, _IN, kernel.shape[1], kernel.shape[0])
        # Some filters at a time, since the transform in double precision takes eight times their memory.
        for first in range(0, len(kernel), _FILTERS):
            part = slice(first, first + _FILTERS)
            weight[..., part] = torch.einsum("ai,bj,kcij->abck", filters, filters, kernel[part].double())
        self.register_buffer("weight", weight.flatten(0, 1))
        self.register_buffer("bias", None if convolution.bias is None else convolution.bias.detach())
        self.register_buffer("input_transform", torch.kron(data, data).to(convolution.weight.dtype))
        self.register_buffer("output_transform", torch.kron(result, result).to(convolution.weight.dtype))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (B, K, H, W) of features (B, C, H, W)."""
        count, channels, height, width = features.shape
        step, outputs = self.dilation, self.weight.shape[2]
        # A dilated convolution is an ordinary one on each of the interleaved images that it skips over.
        rows = -(-height // (step * _OUT))
        columns = -(-width // (step * _OUT))
        rows_at_once = min(rows, max(1, _TILES // columns))
        # A strip of the padded image at a time: a whole copy of a large map costs more memory than all else.
        strip = features.new_zeros((_OUT * rows_at_once + 2) * step, (_OUT * columns + 2) * step, channels)
        result = features.new_empty(count, rows, _OUT, step, columns, _OUT, step, outputs)
        # Two buffers used in turn for all tiles: fresh memory for each costs as much as its arithmetic.
        size = _IN * _IN * rows_at_once * columns * max(channels, outputs)
        buffers = features.new_empty(2, size).unbind()
        for image, start in itertools.product(range(count), range(0, rows, rows_at_once)):
            part = slice(start, min(start + rows_at_once, rows))
            top = (_OUT * start - 1) * step
            inside = features[image, :, max(top, 0) : top + len(strip)].permute(1, 2, 0)
            skipped = max(top, 0) - top
            strip[:skipped] = 0
            strip[skipped : skipped + len(inside), step : step + width] = inside
            strip[skipped + len(inside) :] = 0
            interleaved = strip.view(-1, step, _OUT * columns + 2, step, channels)
            tiles = interleaved.unfold(0, _IN, _OUT).unfold(2, _IN, _OUT)[: part.stop - part.start]
            for i, j in itertools.product(range(step), repeat=2):
                result[image, part, :, i, :, :, j] = self._filtered(tiles[:, i, :, j], buffers)
        dense = result.view(count, rows * _OUT * step, columns * _OUT * step, outputs)[:, :height, :width]
        if self.bias is not None:
            dense += self.bias
        return dense.permute(0, 3, 1, 2)

    def _filtered(self, tiles: torch.Tensor, buffers: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Return (r, 4, c, 4, K) for tiles (r, c, C, 6, 6); valid until the buffers are used again."""
        rows, columns, channels = tiles.shape[:3]
        count, outputs = rows * columns, self.weight.shape[2]
        first, second = buffers
        gathered = first[: _IN * _IN * count * channels].view(_IN, _IN, rows, columns, channels)
        spread = second[: gathered.numel()].view(_IN * _IN, count, channels)
        product = first[: _IN * _IN * count * outputs].view(_IN * _IN, count, outputs)
        result = second[: _OUT * _OUT * count * outputs].view(_OUT * _OUT, -1)
        gathered.copy_(tiles.permute(3, 4, 0, 1, 2))
        torch.mm(self.input_transform, gathered.view(_IN * _IN, -1), out=spread.view(_IN * _IN, -1))
        torch.bmm(spread, self.weight, out=product)
        torch.mm(self.output_transform, product.view(_IN * _IN, -1), out=result)
        return result.view(_OUT, _OUT, rows, columns, -1).permute(2, 0, 3, 1, 4)


def _transforms() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the filter (6, 3), data (6, 6) and output (4, 6) transforms of the Toom-Cook construction."""
    points = torch.tensor(_POINTS, dtype=torch.float64)
    powers = points[None] ** torch.arange(_OUT, dtype=torch.float64)[:, None]
    differences = points[:, None] - points[None] + torch.eye(len(points), dtype=torch.float64)
    result = torch.zeros(_OUT, _IN, dtype=torch.float64)
    result[:, :-1] = powers
    result[-1, -1] = 1
    filters = torch.zeros(_IN, _KERNEL, dtype=torch.float64)
    filters[:-1] = powers[:_KERNEL].T / differences.prod(dim=1, keepdim=True)
    filters[-1, -1] = 1
    # y_i = sum over k of g_k d_(i+k) for all g and d: a linear system for each column of the data transform.
    system = torch.einsum("ij,jk->ikj", result, filters).reshape(-1, _IN)
    shifts = torch.zeros(_OUT, _KERNEL, _IN, dtype=torch.float64)
    for i in range(_OUT):
        for k in range(_KERNEL):
            shifts[i, k, i + k] = 1
    data = torch.linalg.lstsq(system, shifts.reshape(-1, _IN), driver="gelsd").solution
    return filters, data, result
