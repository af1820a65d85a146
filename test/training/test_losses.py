# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
import torch

from drcn_ros.networks.maps import DenseMap
from drcn_ros.training.losses import (
    choose_points,
    peakiness_loss,
    position_loss,
    repeatability_loss,
    spread_cross_entropy,
)
from drcn_ros.training.pairs import PairBatch

SIZE = 64


def blobs(places: list[tuple[float, float]]) -> DenseMap:
    """A score map at half resolution with peaks at pixel places."""
    grid = torch.stack(torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="xy"), dim=-1)
    pixels = 2 * grid + 0.5
    total = sum(torch.exp(-((pixels - torch.tensor(place)) ** 2).sum(-1) / 8) for place in places)
    assert isinstance(total, torch.Tensor)
    return DenseMap(total[None, None], 2, 0.5)


def shifted_pair(shift: float) -> PairBatch:
    grid = torch.stack(torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="xy"), dim=-1)
    images = torch.zeros(1, 1, SIZE, SIZE)
    positions = grid[None] + torch.tensor([shift, 0.0])
    valid = ((positions >= 0) & (positions < SIZE - 1)).all(-1)
    return PairBatch(images, images, positions, valid)


def test_cross_entropy_is_least_where_logits_are_the_spread_target() -> None:
    cells = DenseMap(torch.zeros(1, 1, 4, 4), 4, 1.5)
    point = cells.pixels(torch.tensor([[[1.25, 2.0]]]))
    target = torch.full((1, 1, 16), 1e-9)
    target[0, 0, 2 * 4 + 1], target[0, 0, 2 * 4 + 2] = 0.75, 0.25
    entropy = -(0.75 * torch.tensor(0.75).log() + 0.25 * torch.tensor(0.25).log())
    assert float(spread_cross_entropy(target.log(), point, cells)) == pytest.approx(float(entropy), abs=1e-4)
    other = target.roll(1, dims=-1)
    assert float(spread_cross_entropy(other.log(), point, cells)) > 2


def test_position_loss_measures_the_sub_pixel_distance_of_keypoints() -> None:
    pair = shifted_pair(3.0)
    b = blobs([(20.5, 20.5), (40.5, 30.5)])
    exact, apart = position_loss(blobs([(23.5, 20.5), (43.5, 30.5)]), b, pair)
    assert float(apart) < 0.15
    off, far = position_loss(blobs([(24.3, 20.5), (44.3, 30.5)]), b, pair)
    assert float(far) == pytest.approx(0.8, abs=0.15)
    assert float(off) > float(exact) + 0.1


def test_position_loss_pulls_the_peak_to_where_it_belongs() -> None:
    pair = shifted_pair(0.0)
    values = blobs([(31.2, 30.5)]).values.requires_grad_()
    loss, _ = position_loss(DenseMap(values, 2, 0.5), blobs([(30.5, 30.5)]), pair)
    loss.backward()
    assert values.grad is not None
    # The peak lies too far right: descending raises the score left of it and lowers it on the right.
    assert float(values.grad[0, 0, 15, 14]) < 0 < float(values.grad[0, 0, 15, 16])


def test_repeatability_is_perfect_for_a_map_that_moves_along() -> None:
    pair = shifted_pair(4.0)
    places = [(float(x), float(y)) for x in range(8, 56, 12) for y in range(8, 56, 12)]
    moved = blobs([(x + 4, y) for x, y in places])
    assert float(repeatability_loss(moved, blobs(places), pair)) < 0.02
    assert float(repeatability_loss(blobs(places), blobs(places), pair)) > 0.2


def test_a_score_map_with_peaks_is_peakier_than_a_flat_one() -> None:
    flat = torch.full((1, 1, 32, 32), 0.4)
    assert float(peakiness_loss(blobs([(30.0, 30.0)]).values)) < float(peakiness_loss(flat))


def test_points_are_chosen_where_the_pair_is_valid() -> None:
    pair = shifted_pair(40.0)
    points = choose_points(
        blobs([(10.0, 10.0), (50.0, 50.0)]), pair.valid, 40, torch.Generator().manual_seed(0)
    )
    x, y = points[0].long().unbind(-1)
    assert bool(pair.valid[0][y, x].all())
