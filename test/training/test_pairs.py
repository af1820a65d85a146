# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import grid_sample

from drcn_ros.training.config import DegradationConfig, PairConfig, TrainingConfig
from drcn_ros.training.pairs import PairBatch, WarpedPhotographs
from drcn_ros.training.photographs import read_photographs

UNTOUCHED = DegradationConfig(lighting=0, exposure=0, blur=0, noise=0, jpeg=0)


def make(config: TrainingConfig, pairs: PairConfig, seed: int = 0) -> PairBatch:
    photographs = read_photographs(config.photographs)
    source = WarpedPhotographs(photographs, pairs, UNTOUCHED, torch.device("cpu"))
    return source.batch(6, np.random.default_rng(seed))


def test_the_first_image_at_the_given_positions_is_the_second(
    small_config: Callable[..., TrainingConfig],
) -> None:
    batch = make(small_config(), PairConfig(size=96, hard=0.0))
    warped = grid_sample(batch.first, (2 * batch.positions + 1) / 96 - 1, align_corners=False)
    for index in range(6):
        seen = batch.valid[index]
        a, b = warped[index, 0][seen], batch.second[index, 0][seen]
        assert float((a - b).abs().mean()) < 0.02


def test_a_wrong_position_would_be_noticed(small_config: Callable[..., TrainingConfig]) -> None:
    batch = make(small_config(), PairConfig(size=96, hard=0.0))
    shifted = grid_sample(batch.first, (2 * (batch.positions + 6) + 1) / 96 - 1, align_corners=False)
    seen = batch.valid[0]
    assert float((shifted[0, 0][seen] - batch.second[0, 0][seen]).abs().mean()) > 0.04


def test_pairs_follow_from_the_generator_alone(small_config: Callable[..., TrainingConfig]) -> None:
    first = make(small_config(), PairConfig(size=64), seed=5)
    again = make(small_config(), PairConfig(size=64), seed=5)
    assert torch.equal(first.second, again.second)
    assert torch.equal(first.positions, again.positions)


def test_each_pair_overlaps(small_config: Callable[..., TrainingConfig]) -> None:
    batch = make(small_config(), PairConfig(size=64, hard=1.0))
    assert float(batch.valid.float().mean((1, 2)).min()) >= 0.2
