# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs that are made a batch at a time, on a CPU and on a device that pretends to be another."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample

from drcn_ros.benchmarks.gpu.pretended_device import PRETENDED, pretended_device
from drcn_ros.training.batched_degradations import degrade_batch, normal
from drcn_ros.training.batched_pairs import BatchedPhotographs
from drcn_ros.training.config import DegradationConfig, PairConfig, TrainingConfig
from drcn_ros.training.pairs import LEAST_OVERLAP, PairBatch
from drcn_ros.training.photographs import read_photographs

CPU = torch.device("cpu")
UNTOUCHED = DegradationConfig(lighting=0, exposure=0, blur=0, noise=0, jpeg=0)


def _make(
    config: TrainingConfig,
    pairs: PairConfig,
    seed: int = 0,
    degradations: DegradationConfig = UNTOUCHED,
) -> PairBatch:
    source = BatchedPhotographs(read_photographs(config.photographs), pairs, degradations, CPU)
    return source.batch(6, np.random.default_rng(seed))


@pytest.mark.parametrize("shift", [0.0, 6.0])
def test_first_image_at_the_positions_is_the_second(
    small_config: Callable[..., TrainingConfig], shift: float
) -> None:
    batch = _make(small_config(), PairConfig(size=96, hard=0.3, parallax=1.0, rolling_shutter=0.5))
    warped = grid_sample(batch.first, (2 * (batch.positions + shift) + 1) / 96 - 1, align_corners=False)
    errors = [
        float((warped[row, 0] - batch.second[row, 0])[seen].abs().mean())
        for row, seen in enumerate(batch.valid)
    ]
    if shift:
        assert min(errors) > 0.03
    else:
        assert max(errors) < 0.025


def test_pairs_follow_from_the_generator_and_overlap(small_config: Callable[..., TrainingConfig]) -> None:
    config, pairs = small_config(), PairConfig(size=64, hard=1.0)
    first, again, other = (_make(config, pairs, seed, DegradationConfig()) for seed in (5, 5, 6))
    assert torch.equal(first.second, again.second)
    assert torch.equal(first.positions, again.positions)
    assert not torch.allclose(first.positions, other.positions, atol=1.0)
    assert float(first.valid.float().mean((1, 2)).min()) >= LEAST_OVERLAP
    assert first.first.shape == (6, 1, 64, 64)
    assert 0.0 <= float(first.first.min()) < float(first.first.max()) <= 1.0


def test_another_device_makes_the_same_pairs_and_no_host_waits(
    small_config: Callable[..., TrainingConfig],
) -> None:
    config, pairs = small_config(), PairConfig(size=64)
    everything = DegradationConfig(lighting=1, exposure=0.5, blur=1, noise=1, jpeg=0.5)
    wanted = _make(config, pairs, 3, everything)
    with pretended_device() as waits:
        source = BatchedPhotographs(read_photographs(config.photographs), pairs, everything, PRETENDED)
        source.batch(2, np.random.default_rng(9))
        waits.places.clear()
        found = source.batch(6, np.random.default_rng(3))
        assert not waits.places
        assert found.first.device == PRETENDED
        # A grey level of JPEG's quantisation may go either way.
        assert float((found.second.cpu() - wanted.second).abs().mean()) < 1e-3
        assert torch.allclose(found.positions.cpu(), wanted.positions, atol=1e-2)


def test_noise_is_normal_and_follows_from_its_seed() -> None:
    first, again, other = (normal(torch.Size([2, 1, 100, 100]), seed, CPU) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert abs(float(first.mean())) < 0.03
    assert abs(float(first.std()) - 1) < 0.03
    assert abs(float((first * other).mean())) < 0.03
    assert abs(float((first[..., 1:] * first[..., :-1]).mean())) < 0.03
    assert abs(float((first.abs() > 2).float().mean()) - 0.0455) < 0.01


def test_nothing_happens_to_images_where_all_shares_are_zero() -> None:
    images = torch.randint(1, 256, (4, 1, 32, 32)) / 255
    same = degrade_batch(images, torch.tensor([True, False]), np.random.default_rng(0), UNTOUCHED)
    assert torch.allclose(same, images, atol=1e-6)


def test_blocks_are_quantised_as_jpeg_does() -> None:
    random = np.random.default_rng(1)
    image = cv2.GaussianBlur(random.integers(0, 256, (64, 64)).astype(np.uint8), (0, 0), 1.5)
    images = torch.from_numpy(image)[None, None].expand(2, 1, 64, 64) / 255
    config = DegradationConfig(lighting=0, exposure=0, blur=0, noise=0, jpeg=1.0)
    made = 255 * degrade_batch(images, torch.tensor([True]), np.random.default_rng(4), config)[0, 0].numpy()
    gaps = []
    for quality in range(30, 90):
        _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        gaps.append(np.abs(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE) - made).mean())
    assert min(gaps) < 0.1 < np.abs(image - made).mean()
