# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample, unfold

from drcn_ros.training.config import DegradationConfig, PairConfig, TrainingConfig
from drcn_ros.training.pairs import Mixture, PairBatch
from drcn_ros.training.photographs import read_photographs
from drcn_ros.training.rooms import RenderedRooms

UNTOUCHED = DegradationConfig(lighting=0, exposure=0, blur=0, noise=0, jpeg=0)


@pytest.fixture
def rooms(small_config: Callable[..., TrainingConfig]) -> RenderedRooms:
    photographs = read_photographs(small_config().photographs)
    return RenderedRooms(photographs, PairConfig(size=96, hard=1.0), UNTOUCHED, torch.device("cpu"))


def test_both_views_show_the_same_where_they_say_so(rooms: RenderedRooms) -> None:
    batch = rooms.batch(4, np.random.default_rng(0))
    warped = grid_sample(batch.first, (2 * batch.positions + 1) / 96 - 1, align_corners=False)
    for index in range(4):
        seen = batch.valid[index]
        assert float(seen.float().mean()) >= 0.2
        difference = (warped[index, 0] - batch.second[index, 0])[seen].abs()
        assert float(difference.median()) < 0.03


def test_a_room_has_parallax_that_no_homography_explains(rooms: RenderedRooms) -> None:
    import cv2

    batch = rooms.batch(4, np.random.default_rng(1))
    errors = []
    for index in range(4):
        y, x = np.nonzero(batch.valid[index].numpy())
        b = np.stack([x, y], axis=1).astype(np.float64)
        a = batch.positions[index].numpy()[y, x].astype(np.float64)
        plane, _ = cv2.findHomography(b, a, cv2.RANSAC, 1.0)
        mapped = cv2.perspectiveTransform(b[None], plane)[0]
        errors.append(float(np.percentile(np.linalg.norm(mapped - a, axis=1), 90)))
    assert max(errors) > 2.0


def test_rooms_follow_from_the_generator_alone(rooms: RenderedRooms) -> None:
    first, again = (rooms.batch(1, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(first.second, again.second)


def contrast(rooms: RenderedRooms, **pairs: float) -> float:
    """Mean deviation of small windows, grey levels."""
    made = dataclasses.replace(rooms, pairs=dataclasses.replace(rooms.pairs, **pairs))
    batch = made.batch(6, np.random.default_rng(4))
    windows = unfold(255 * batch.first, 8, stride=8)
    return float(windows.std(dim=1).mean())


def test_plain_surfaces_have_hardly_any_texture(rooms: RenderedRooms) -> None:
    assert contrast(rooms, plain=1.0) < 0.4 * contrast(rooms)


def test_wide_changes_of_view_share_less(rooms: RenderedRooms) -> None:
    shared = []
    for wide in (0.0, 1.0):
        made = dataclasses.replace(rooms, pairs=dataclasses.replace(rooms.pairs, wide=wide))
        batches = [made.batch(4, np.random.default_rng(seed)) for seed in range(3)]
        shared.append(float(torch.cat([batch.valid for batch in batches]).float().mean()))
    assert 0.2 <= shared[1] < shared[0] - 0.05


def test_a_mixture_takes_its_sources_by_their_shares() -> None:
    class Named:
        def __init__(self, number: float) -> None:
            self._number = number

        def batch(self, count: int, random: np.random.Generator) -> PairBatch:
            images = torch.full((count, 1, 1, 1), self._number)
            return PairBatch(images, images, torch.zeros(count, 1, 1, 2), torch.ones(count, 1, 1) > 0)

    random = np.random.default_rng(0)
    mixture = Mixture([(Named(1.0), 0.75), (Named(0.0), 0.25), (Named(9.0), 0.0)])
    drawn = [float(mixture.batch(1, random).first.mean()) for _ in range(400)]
    assert set(drawn) == {0.0, 1.0}
    assert np.mean(drawn) == pytest.approx(0.75, abs=0.08)
