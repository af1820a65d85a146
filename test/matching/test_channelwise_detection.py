# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from drcn_ros.matching.channelwise_detection import detect_channelwise
from drcn_ros.networks.detection import SoftDetection


@pytest.mark.parametrize("sharpness", [0.5, 4.0, 60.0])
@pytest.mark.parametrize("size", [(24, 40), (1, 7), (5, 1)])
@torch.no_grad()
def test_channel_by_channel_is_what_all_at_once_gives(sharpness, size):
    detector = SoftDetection(sharpness)
    features = 3 * torch.randn(16, *size, generator=torch.Generator().manual_seed(0))
    expected = detector(features[None])[0, 0]
    assert torch.allclose(detect_channelwise(detector, features), expected, atol=1e-6)
    assert expected.max() > 0


@torch.no_grad()
def test_features_without_a_positive_one_have_no_score():
    scores = detect_channelwise(SoftDetection(), -torch.ones(3, 4, 5))
    assert torch.equal(scores, torch.zeros(4, 5))


@torch.no_grad()
def test_the_features_stay_as_they_were():
    features = torch.randn(3, 8, 8)
    before = features.clone()
    detect_channelwise(SoftDetection(), features)
    assert torch.equal(features, before)
