# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Neighbourhood consensus against a loop of 3D convolutions."""

from __future__ import annotations

import pytest
import torch

from drcn_ros.networks import plain_drcn
from drcn_ros.networks.consensus import NeighbourhoodConsensus


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(
    ("channels", "kernels"),
    [((16, 1), (3, 3)), ((1,), (5,)), ((4, 6, 1), (3, 5, 3)), ((3, 1), (1, 3)), ((2, 2, 2, 1), (3, 1, 3, 3))],
)
def test_folded_convolutions_give_what_4d_convolutions_give(channels, kernels, symmetric):
    torch.manual_seed(1)
    network = NeighbourhoodConsensus(channels, kernels, symmetric)
    correlation = torch.rand(2, 5, 6, 7, 4)
    with torch.no_grad():
        expected = plain_drcn.consensus(network, correlation)
        assert expected.amax() > 0
        assert torch.allclose(network(correlation), expected, atol=1e-5)


def test_working_in_blocks_of_rows_changes_nothing(monkeypatch):
    network = NeighbourhoodConsensus((4, 4, 1), (3, 3, 3))
    correlation = torch.rand(1, 7, 5, 4, 6)
    with torch.no_grad():
        whole = network(correlation)
        monkeypatch.setattr("drcn_ros.networks.consensus._BLOCK", 1)
        assert torch.allclose(network(correlation), whole, atol=1e-6)


def test_exchanging_the_images_exchanges_the_result():
    network = NeighbourhoodConsensus()
    correlation = torch.rand(1, 4, 5, 6, 3)
    with torch.no_grad():
        there = network(correlation)
        back = network(correlation.permute(0, 3, 4, 1, 2)).permute(0, 3, 4, 1, 2)
    assert torch.allclose(there, back, atol=1e-6)


def test_gradients_are_those_of_4d_convolutions():
    torch.manual_seed(2)
    network = NeighbourhoodConsensus((3, 1), (3, 3))
    correlation = torch.rand(1, 3, 4, 4, 3)
    gradients = []
    for run in (network, lambda values: plain_drcn.consensus(network, values)):
        network.zero_grad()
        run(correlation).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in network.parameters()])
    for fast, plain in zip(*gradients, strict=True):
        assert torch.allclose(fast, plain, atol=1e-4 * float(plain.abs().max()) + 1e-7)


@pytest.mark.parametrize(
    ("channels", "kernels"), [((16, 2), (3, 3)), ((16, 1), (3,)), ((), ()), ((16, 1), (4, 3))]
)
def test_impossible_layers_are_refused(channels, kernels):
    with pytest.raises(ValueError, match="consensus"):
        NeighbourhoodConsensus(channels, kernels)
