# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN straight from its definitions: what tests and the benchmark compare the fast forms with."""

from __future__ import annotations

import torch
from torch.nn import functional

from drcn_ros.networks.consensus import NeighbourhoodConsensus


def conv4d(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Cross-correlate in four dimensions with zero padding, as a loop of 3D convolutions over the first axis.

    Args:
        inputs: (B, C, hA, wA, hB, wB).
        weight: (out, C, k, k, k, k).
        bias: (out,).
    """
    size = weight.shape[2]
    pad = size // 2
    rows = functional.pad(inputs, (0, 0) * 3 + (pad, pad)).unbind(dim=2)
    return torch.stack(
        [
            sum(functional.conv3d(rows[row + tap], weight[:, :, tap], padding=pad) for tap in range(size))
            + bias.view(1, -1, 1, 1, 1)
            for row in range(inputs.shape[2])
        ],
        dim=2,
    )


def consensus(network: NeighbourhoodConsensus, correlation: torch.Tensor) -> torch.Tensor:
    """Return what `network(correlation)` returns, with transposed copies for the symmetric branch."""

    def branch(values: torch.Tensor) -> torch.Tensor:
        values = values.unsqueeze(1)
        for weight, bias in zip(network.weights, network.biases, strict=True):
            values = functional.relu(conv4d(values, weight, bias))
        return values.squeeze(1)

    cleaned = branch(correlation)
    if network.symmetric:
        cleaned = cleaned + branch(correlation.permute(0, 3, 4, 1, 2)).permute(0, 3, 4, 1, 2)
    return cleaned
