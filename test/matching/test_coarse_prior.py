# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The coarse prior against its definition."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import max_pool2d, normalize

from drcn_ros.matching import coarse_prior
from drcn_ros.matching.coarse_prior import CoarsePrior, coarse_logits
from drcn_ros.networks.correlation import mutual_matching
from drcn_ros.networks.separable_consensus import SeparableConsensus


def _unit(channels: int, height: int, width: int) -> torch.Tensor:
    return normalize(torch.randn(channels, height, width), dim=0)


@torch.inference_mode()
def test_logits_are_the_correlation_plus_its_pooled_consensus():
    torch.manual_seed(0)
    consensus = SeparableConsensus()
    a, b = _unit(8, 6, 8), _unit(8, 4, 6)
    correlation = torch.einsum("cij,ckl->ijkl", a, b)
    pooled = correlation.reshape(3, 2, 4, 2, 2, 2, 3, 2).amax((1, 3, 5, 7))
    cleaned = consensus(mutual_matching(pooled.relu()[None])[None])[0, 0]
    for axis in range(4):
        cleaned = cleaned.repeat_interleave(2, dim=axis)
    expected = consensus.temperature * correlation + consensus.gain * cleaned
    assert torch.allclose(coarse_logits(consensus, a, b), expected, atol=1e-5)


@pytest.mark.parametrize("sizes", [((5, 7), (3, 9)), ((1, 1), (1, 1)), ((1, 4), (4, 1))])
@torch.inference_mode()
def test_odd_and_tiny_maps_keep_their_size(sizes):
    logits = coarse_logits(SeparableConsensus(), _unit(8, *sizes[0]), _unit(8, *sizes[1]))
    assert logits.shape == (*sizes[0], *sizes[1])
    assert torch.isfinite(logits).all()


def expected_rows(logits: torch.Tensor) -> torch.Tensor:
    (height, width), cells = logits.shape[2:], logits.shape[0] * logits.shape[1]
    matrix = logits.reshape(cells, height * width)
    both = matrix.log_softmax(dim=0) + matrix.log_softmax(dim=1)
    return max_pool2d(both.view(cells, 1, height, width), 3, 1, 1).view(cells, -1)


@pytest.mark.parametrize("cached", [1, 40, 1 << 17])
def test_pairs_get_the_sum_of_both_log_softmaxes_widened_by_one_cell(cached, monkeypatch):
    monkeypatch.setattr(coarse_prior, "_CACHED", cached)
    torch.manual_seed(1)
    logits = 10 * torch.randn(4, 5, 3, 6)
    expected = expected_rows(logits)
    rows, columns = torch.tensor([3, 19, 3, 0]), torch.tensor([17, 2, 2])
    found = CoarsePrior.of(logits).pairs(rows, columns)
    assert torch.allclose(found, expected[rows][:, columns], atol=1e-4)


def test_exchanged_images_give_the_prior_of_the_transposed_correlation():
    torch.manual_seed(1)
    logits = 10 * torch.randn(4, 5, 3, 6)
    cells = torch.tensor([17, 0, 17])
    found = CoarsePrior.of(logits).exchanged().rows(cells)
    assert torch.allclose(found, expected_rows(logits.permute(2, 3, 0, 1))[cells], atol=1e-4)
