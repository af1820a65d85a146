# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch

from drcn_ros.networks import separable_consensus
from drcn_ros.networks.separable_consensus import SeparableConsensus


def volume(count: int, *sides: int) -> torch.Tensor:
    return torch.rand(count, 1, *sides, generator=torch.Generator().manual_seed(3))


@torch.no_grad()
def test_the_filter_knows_no_first_and_second_image():
    consensus, given = SeparableConsensus(), volume(2, 3, 4, 5, 6)
    exchanged = consensus(given.permute(0, 1, 4, 5, 2, 3)).permute(0, 1, 4, 5, 2, 3)
    assert torch.allclose(consensus(given), exchanged, atol=1e-6)


@pytest.mark.parametrize(("count", "grid", "layers"), [(1, (7, 10), 2), (2, (3, 4), 3), (1, (1, 1), 1)])
@torch.no_grad()
def test_products_on_small_grids_are_the_convolutions(count, grid, layers, monkeypatch):
    plain, given = SeparableConsensus(channels=5, layers=layers), volume(count, *grid, *grid)
    expected = plain(given)
    fused = copy.deepcopy(plain).fuse()
    # What is left are the products.
    monkeypatch.setattr(separable_consensus, "_convolve_a", None)
    assert torch.allclose(fused(given), expected, atol=1e-5)


@torch.no_grad()
def test_grids_of_two_sizes_take_the_convolutions():
    plain, given = SeparableConsensus(), volume(1, 4, 5, 5, 4)
    assert torch.equal(copy.deepcopy(plain).fuse()(given), plain(given))
