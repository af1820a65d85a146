# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A Triton kernel for what DRCN needs of all pairs of keypoints: no table of pairs is written or read.

The logit of a pair is the coarse prior of its cells, the best of 3x3, plus the product of its descriptors. In
torch the rows of the prior, the prior of the pairs and their logits are written and read one after the other;
here each tile of pairs lives in registers, and only the extremes of its rows and columns leave it, with sums
of exponentials relative to these, which add up without overflow (Milakov and Gimelshein, arXiv 1805.02867).

Importing this needs triton. With TRITON_INTERPRET=1 the kernel runs on a CPU, slowly.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from drcn_ros.matching.coarse_prior import CoarsePrior
from drcn_ros.matching.nearest import Extremes

# Pairs of a tile: keypoints of the reference by keypoints of the current image.
_TILE_ROWS = 32
_TILE_COLUMNS = 64


def fused_extremes(
    reference: torch.Tensor,
    current: torch.Tensor,
    prior: CoarsePrior,
    reference_cells: torch.Tensor,
    current_cells: torch.Tensor,
) -> Extremes:
    """Return the extremes of `prior.pairs(...) + reference @ current.T`; `second` is not known.

    Args:
        reference: (N, C) descriptors times the temperature, C a power of two from 16 on.
        current: (M, C) descriptors.
        prior: of both images' coarse cells.
        reference_cells, current_cells: (N,) and (M,) flat cells that the keypoints lie in.
    """
    rows, columns = len(reference), len(current)
    height, width = prior.logits.shape[2:]
    blocks = triton.cdiv(rows, _TILE_ROWS), triton.cdiv(columns, _TILE_COLUMNS)
    # What each tile tells of its rows, and of its columns.
    row_best, row_total = reference.new_empty(2, blocks[1], rows).unbind()
    index = torch.empty(blocks[1], rows, dtype=torch.int64, device=reference.device)
    column_best, column_total = reference.new_empty(2, blocks[0], columns).unbind()
    _kernel[blocks](
        *(tensor.contiguous() for tensor in (reference, current, reference_cells, current_cells)),
        *(tensor.contiguous() for tensor in (prior.logits, prior.over_a, prior.over_b)),
        *(row_best, index, row_total, column_best, column_total),
        *(rows, columns, height, width),
        CHANNELS=reference.shape[1],
        TILE_ROWS=_TILE_ROWS,
        TILE_COLUMNS=_TILE_COLUMNS,
    )
    best = row_best.amax(dim=0)
    return Extremes(
        best=best,
        # Of equal entries the first counts.
        index=torch.where(row_best == best, index, columns).amin(dim=0),
        second=torch.full_like(best, -torch.inf),
        row_sum=torch.logsumexp(row_best + row_total.log(), dim=0),
        column_best=column_best.amax(dim=0),
        column_sum=torch.logsumexp(column_best + column_total.log(), dim=0),
    )


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _kernel(
    reference: Any,
    current: Any,
    reference_cells: Any,
    current_cells: Any,
    logits: Any,
    over_a: Any,
    over_b: Any,
    row_best: Any,
    index: Any,
    row_total: Any,
    column_best: Any,
    column_total: Any,
    rows: Any,
    columns: Any,
    height: Any,
    width: Any,
    CHANNELS: tl.constexpr,
    TILE_ROWS: tl.constexpr,
    TILE_COLUMNS: tl.constexpr,
) -> None:
    """One tile: largest entries of its rows and columns, and sums of exponentials relative to these."""
    row = tl.program_id(0) * TILE_ROWS + tl.arange(0, TILE_ROWS)
    column = tl.program_id(1) * TILE_COLUMNS + tl.arange(0, TILE_COLUMNS)
    row_there, column_there = row < rows, column < columns
    channel = tl.arange(0, CHANNELS)
    left = tl.load(reference + row[:, None] * CHANNELS + channel[None, :], mask=row_there[:, None], other=0.0)
    right = tl.load(
        current + column[None, :] * CHANNELS + channel[:, None], mask=column_there[None, :], other=0.0
    )
    cell_a = tl.load(reference_cells + row, mask=row_there, other=0)
    cell_b = tl.load(current_cells + column, mask=column_there, other=0)
    own = tl.load(over_b + cell_a, mask=row_there, other=0.0)
    cell_y, cell_x = cell_b // width, cell_b % width
    prior = tl.full((TILE_ROWS, TILE_COLUMNS), float("-inf"), tl.float32)
    for down in tl.static_range(-1, 2):
        for across in tl.static_range(-1, 2):
            y, x = cell_y + down, cell_x + across
            inside = column_there & (y >= 0) & (y < height) & (x >= 0) & (x < width)
            near = tl.where(inside, y * width + x, 0)
            likelihoods = tl.load(over_a + near, mask=inside, other=0.0)
            logit = tl.load(
                logits + cell_a[:, None] * (height * width) + near[None, :],
                mask=row_there[:, None] & inside[None, :],
                other=float("-inf"),
            )
            prior = tl.maximum(prior, 2 * logit - own[:, None] - likelihoods[None, :])
    value = tl.dot(left, right, input_precision="ieee") + prior
    value = tl.where(row_there[:, None] & column_there[None, :], value, float("-inf"))
    largest, tops = tl.max(value, axis=1), tl.max(value, axis=0)
    first = tl.argmax(value, axis=1) + tl.program_id(1) * TILE_COLUMNS
    of_row = tl.program_id(1) * rows + row
    of_column = tl.program_id(0) * columns + column
    tl.store(row_best + of_row, largest, mask=row_there)
    tl.store(index + of_row, first.to(tl.int64), mask=row_there)
    tl.store(row_total + of_row, tl.sum(tl.exp(value - largest[:, None]), axis=1), mask=row_there)
    tl.store(column_best + of_column, tops, mask=column_there)
    tl.store(column_total + of_column, tl.sum(tl.exp(value - tops[None, :]), axis=0), mask=column_there)
