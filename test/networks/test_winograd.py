# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from drcn_ros.networks.winograd import WinogradConv2d


@pytest.mark.parametrize("size", [(24, 32), (23, 29), (3, 70), (1, 1)])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_equals_the_convolution_in_single_precision(size: tuple[int, int], dilation: int, bias: bool) -> None:
    torch.manual_seed(1)
    convolution = nn.Conv2d(40, 24, 3, padding=dilation, dilation=dilation, bias=bias)
    features = torch.randn(2, 40, *size).relu()
    exact = convolution.double()(features.double())
    found = WinogradConv2d(convolution.float())(features)
    assert found.shape == exact.shape
    assert (found - exact).abs().max() < 3e-6 * exact.abs().max()


@torch.inference_mode()
def test_many_tiles_equal_few() -> None:
    torch.manual_seed(2)
    convolution = nn.Conv2d(8, 8, 3, padding=1)
    features = torch.randn(1, 8, 90, 130)
    torch.testing.assert_close(
        WinogradConv2d(convolution)(features), convolution(features), atol=1e-5, rtol=1e-5
    )
