# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from drcn_ros.networks.detection import SoftDetection, strongest_maxima


def peak(x: float, y: float, height: float = 1.0) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    return height * (1 - 0.02 * ((columns - x) ** 2 + (rows - y) ** 2)).clamp(min=0)


def test_maxima_are_located_within_the_cell_and_sorted() -> None:
    cells, values = strongest_maxima(torch.maximum(peak(8.3, 6.8, 0.5), peak(20.6, 12.1)), 10)
    torch.testing.assert_close(cells, torch.tensor([[20.6, 12.1], [8.3, 6.8]]), atol=1e-3, rtol=0)
    assert values[0] > values[1]


def test_only_the_strongest_are_kept() -> None:
    cells, _ = strongest_maxima(torch.maximum(peak(8, 6, 0.5), peak(21, 12)), 1)
    torch.testing.assert_close(cells, torch.tensor([[21.0, 12.0]]))


def test_nothing_is_found_at_the_border_or_on_a_map_of_zeros() -> None:
    assert len(strongest_maxima(peak(0.2, 0.1), 10)[0]) == 0
    assert len(strongest_maxima(torch.zeros(20, 30), 10)[0]) == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (4, 4)])
def test_a_map_smaller_than_its_border_has_no_maxima(size: tuple[int, int]) -> None:
    assert strongest_maxima(torch.rand(size), 10)[0].shape == (0, 2)


def test_a_weaker_maximum_in_the_window_is_suppressed() -> None:
    scores = torch.zeros(20, 30)
    scores[10, 10], scores[10, 12], scores[10, 16] = 1.0, 0.9, 0.8
    cells, _ = strongest_maxima(scores, 10)
    assert cells.round().tolist() == [[10.0, 10.0], [16.0, 10.0]]


def test_the_score_is_high_where_one_channel_stands_out() -> None:
    features = torch.full((1, 4, 15, 15), 0.5)
    features[0, 2, 7, 7] = 1.0
    scores = SoftDetection()(features)[0, 0]
    assert scores.argmax() == 7 * 15 + 7
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_a_dead_map_has_finite_scores_and_gradients() -> None:
    features = torch.zeros(2, 4, 9, 9, requires_grad=True)
    scores = SoftDetection()(features)
    scores.sum().backward()
    assert scores.abs().max() == 0
    assert torch.isfinite(features.grad).all()
