# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import numpy as np
import pytest
import torch

from drcn_ros.training.config import DegradationConfig
from drcn_ros.training.degradations import degrade, focus_kernel, motion_kernel


@pytest.mark.parametrize("angle", np.linspace(0, np.pi, 7))
@pytest.mark.parametrize("length", [1.0, 4.3, 12.0])
def test_a_motion_blur_moves_nothing(length: float, angle: float) -> None:
    kernel = motion_kernel(length, float(angle))
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    place = np.arange(len(kernel)) - len(kernel) // 2
    assert abs(float(kernel.sum(axis=0) @ place)) < 1e-4
    assert abs(float(kernel.sum(axis=1) @ place)) < 1e-4


def test_a_focus_blur_has_the_deviation_asked_for() -> None:
    kernel = focus_kernel(2.0)
    place = np.arange(len(kernel)) - len(kernel) // 2
    assert float(kernel.sum(axis=0) @ place**2) == pytest.approx(4.0, rel=0.1)


def test_the_same_generator_gives_the_same_images() -> None:
    images = torch.rand(8, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    hard = np.array([True, False, True, False])
    first = degrade(images.clone(), hard, np.random.default_rng(3), DegradationConfig())
    again = degrade(images.clone(), hard, np.random.default_rng(3), DegradationConfig())
    other = degrade(images.clone(), hard, np.random.default_rng(4), DegradationConfig())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1


def test_alike_blurs_are_the_same_in_both_images() -> None:
    config = DegradationConfig(exposure=0, blur=1, same_blur=1, noise=0, jpeg=0)
    impulse = torch.zeros(2, 1, 65, 65)
    impulse[:, :, 32, 32] = 1
    from drcn_ros.training.degradations import _blur

    first, second = _blur(impulse, np.random.default_rng(1), config)
    assert torch.equal(first, second)
    assert float(first.max()) < 1
