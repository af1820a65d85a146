# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from drcn_ros.networks.maps import DenseMap


def test_sampling_is_bilinear_and_continues_the_border() -> None:
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(9.0), indexing="ij")
    dense = DenseMap(torch.stack([columns, rows])[None], stride=4, origin=1.5)
    pixels = torch.tensor([[[1.5, 1.5], [13.5, 9.5], [14.5, 10.5], [-50.0, 200.0]]])
    expected = torch.tensor([[[0.0, 0.0], [3.0, 2.0], [3.25, 2.25], [0.0, 5.0]]])
    torch.testing.assert_close(dense.sample(pixels), expected)


def test_cells_and_pixels_are_inverse() -> None:
    dense = DenseMap(torch.zeros(1, 1, 2, 2), stride=16, origin=7.5)
    pixels = torch.tensor([[0.0, 33.25]])
    torch.testing.assert_close(dense.pixels(dense.cells(pixels)), pixels)
