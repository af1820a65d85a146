# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Coarse and fine features: a ResNet up to its third stage and a feature pyramid (DRCN, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from drcn_ros.networks.winograd import WinogradConv2d

COARSE_STRIDE = 16
FINE_STRIDE = 4


@dataclass(frozen=True)
class ResnetFpnConfig:
    """Shape of the backbone.

    Attributes:
        depths: bottleneck blocks of the three stages; (3, 4, 23) is ResNet-101.
        width: channels of the stem; the stages give 4, 8 and 16 times as many.
        channels: channels of the pyramid and of the fine features.
        project_coarse: True gives coarse features of `channels` by two convolutions ("256"), False the third
            stage as it is, which then needs `channels` equal to 16 widths ("1024").
    """

    depths: tuple[int, int, int]
    width: int
    channels: int
    project_coarse: bool


# The two of the reference, by its own names, and small ones for slow machines and quick tests.
RESNET_FPNS = {
    "resnet101fpn_3_256_4": ResnetFpnConfig((3, 4, 23), 64, 256, project_coarse=True),
    "resnet101fpn_3_1024_4": ResnetFpnConfig((3, 4, 23), 64, 1024, project_coarse=False),
    "resnet26fpn_3_128_4": ResnetFpnConfig((2, 3, 3), 32, 128, project_coarse=True),
    "resnet20fpn_3_64_4": ResnetFpnConfig((2, 2, 2), 16, 64, project_coarse=True),
}


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride), 1x1 convolutions around a shortcut; parameter names as in torchvision."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * width
        self.conv1: nn.Module = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(width)
        self.conv2: nn.Module = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2: nn.Module = nn.BatchNorm2d(width)
        self.conv3: nn.Module = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3: nn.Module = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, 4 width, h, w) features."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = functional.relu(self.bn2(self.conv2(y)))
        return functional.relu(self.bn3(self.conv3(y)) + self.downsample(x))

    def fuse(self) -> None:
        """Fold the batch norms into the convolutions."""
        self.conv1, self.bn1 = _fused(self.conv1, self.bn1)
        self.conv2, self.bn2 = _fused(self.conv2, self.bn2)
        self.conv3, self.bn3 = _fused(self.conv3, self.bn3)
        if isinstance(self.downsample, nn.Sequential) and len(self.downsample) == 2:
            convolution, norm = self.downsample
            self.downsample = nn.Sequential(_fused(convolution, norm)[0])


class ResnetFpn(nn.Module):
    """Image (B, 3, H, W) -> fine (B, C, H/4, W/4) and coarse (B, C', H/16, W/16) features, not normalised.

    Batch norm always uses its stored statistics, also while the pyramid is trained. Built with random
    weights; a weight file is loaded separately.
    """

    def __init__(self, config: ResnetFpnConfig) -> None:
        super().__init__()
        width, channels = config.width, config.channels
        deepest = 16 * width
        if not config.project_coarse and channels != deepest:
            msg = f"pyramid of {channels} channels: without a coarse projection it needs {deepest}"
            raise ValueError(msg)
        self.config = config
        self.conv1: nn.Module = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1: nn.Module = nn.BatchNorm2d(width)
        self.layer1 = _stage(width, width, config.depths[0], stride=1)
        self.layer2 = _stage(4 * width, 2 * width, config.depths[1], stride=2)
        self.layer3 = _stage(8 * width, 4 * width, config.depths[2], stride=2)
        self.lateral2 = nn.Conv2d(4 * width, channels, 1)
        self.lateral3 = nn.Conv2d(8 * width, channels, 1)
        if config.project_coarse:
            self.lateral4: nn.Module = nn.Conv2d(deepest, channels, 1)
            self.coarse: nn.Module = nn.Conv2d(channels, channels, 3, padding=1)
        else:
            self.lateral4 = nn.Identity()
            self.coarse = nn.Identity()
        self.fine: nn.Module = nn.Conv2d(channels, channels, 3, padding=1)
        self.train(False)

    def train(self, mode: bool = True) -> ResnetFpn:
        """Switch everything but batch norm."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the fine and the coarse map; H and W are multiples of 16."""
        x = functional.relu(self.bn1(self.conv1(images)))
        c2 = self.layer1(functional.max_pool2d(x, 3, 2, 1))
        c3 = self.layer2(c2)
        c4 = self.layer3(c3)
        p4 = self.lateral4(c4)
        p3 = self.lateral3(c3)
        p3 += _enlarge(p4, p3)
        p2 = self.lateral2(c2)
        p2 += _enlarge(p3, p2)
        return self.fine(p2), self.coarse(p4)

    def fuse(self, for_cpu: bool = True) -> ResnetFpn:
        """Fold the batch norms into the convolutions, for inference; return the network itself.

        `for_cpu` takes Winograd filters where they are worth it, in the one large convolution.
        """
        self.conv1, self.bn1 = _fused(self.conv1, self.bn1)
        for module in self.modules():
            if isinstance(module, Bottleneck):
                module.fuse()
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        if for_cpu and isinstance(self.fine, nn.Conv2d):
            self.fine = WinogradConv2d(self.fine)
        return self


def _stage(inputs: int, width: int, depth: int, stride: int) -> nn.Sequential:
    blocks = [Bottleneck(inputs, width, stride)]
    blocks += [Bottleneck(4 * width, width, 1) for _ in range(depth - 1)]
    return nn.Sequential(*blocks)


def _enlarge(small: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    # Aligned corners let the coarse context drift against the fine cells; trained weights have adapted to it.
    return functional.interpolate(small, size=like.shape[-2:], mode="bilinear", align_corners=True)


def _fused(convolution: nn.Module, norm: nn.Module) -> tuple[nn.Module, nn.Module]:
    if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        return convolution, norm
    return fuse_conv_bn_eval(convolution, norm), nn.Identity()
