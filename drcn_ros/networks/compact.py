# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The compact network of this project: one small backbone that serves D2-Net and DRCN alike.

Grey input. 3x3 convolutions with batch norm down to 1/32; a feature pyramid up to 1/4 gives the fine
descriptors, a branch at 1/2 the detection map, and 1/16 the coarse features of the 4D correlation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn.functional import interpolate, normalize, pad, relu_
from torch.nn.utils.fusion import fuse_conv_bn_eval

from drcn_ros.errors import WeightsError
from drcn_ros.networks.detection import SoftDetection
from drcn_ros.networks.images import as_fractions
from drcn_ros.networks.maps import DenseMap
from drcn_ros.networks.separable_consensus import SeparableConsensus

DETAIL_STRIDE = 2
FINE_STRIDE = 4
COARSE_STRIDE = 16
# The deepest stage is fitted to the one above, whose rows and columns may be odd in number.
PADDED_TO = 16


@dataclass(frozen=True)
class CompactConfig:
    """Sizes of the compact network, and what its scores mean; stored in its weight files.

    Attributes:
        stem, quarter, eighth, sixteenth: channels of the stages at 1/2, 1/4, 1/8 and 1/16 and below.
        fine, coarse, detail: channels of the three output maps.
        consensus_channels, consensus_layers: of the neighbourhood consensus.
        subcell: the detail map takes what the fine map knows of places within its cells. Upsampling alone
            has its peaks at the centres of the fine cells, which a blurred image then snaps to.
        calibration: by method, slope and bias of the logit that make a match's score the probability that
            it is right; a method without an entry keeps its scores.

    Raises:
        WeightsError: an entry of `calibration` is not two finite numbers, the first above 0.
    """

    stem: int = 16
    quarter: int = 32
    eighth: int = 64
    sixteenth: int = 128
    fine: int = 64
    coarse: int = 128
    detail: int = 16
    consensus_channels: int = 6
    consensus_layers: int = 2
    subcell: bool = False
    calibration: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what a weight file may hold."""
        for name, entry in self.calibration.items():
            if len(entry) != 2 or not all(math.isfinite(value) for value in entry) or entry[0] <= 0:
                msg = f"calibration of {name} is {list(entry)}: need a slope above 0 and a bias, both finite"
                raise WeightsError(msg)


@dataclass(frozen=True)
class CompactMaps:
    """Output of the compact network for a batch of images.

    Attributes:
        detail: (B, 16, ceil(H/2), ceil(W/2)), what keypoints are detected on.
        fine: (B, 64, ceil(H/4), ceil(W/4)), descriptors, not normalised.
        coarse: (B, 128, ceil(H/16), ceil(W/16)), features of the 4D correlation, not normalised.
    """

    detail: DenseMap
    fine: DenseMap
    coarse: DenseMap


class ConvBlock(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm: nn.Module | None = nn.BatchNorm2d(outputs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the block's features."""
        features = self.conv(features)
        return relu_(features if self.norm is None else self.norm(features))

    def fuse(self) -> None:
        """Fold the batch norm into the convolution; for inference only."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = None


class CompactNetwork(nn.Module):
    """Backbone, detector, consensus and matching temperatures: all that one weight file holds.

    Attributes:
        config: the sizes it was built with.
        detector: detection score on the detail map.
        consensus: filter of the coarse 4D correlation.
        descriptor_temperature: factor that makes cosines of fine descriptors logits.
        detail_temperature: the same for the detail map.
    """

    def __init__(self, config: CompactConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CompactConfig()
        fine, detail, deep = config.fine, config.detail, config.sixteenth
        self.stage2 = nn.Sequential(ConvBlock(1, config.stem, stride=2), ConvBlock(config.stem, config.stem))
        self.stage4 = nn.Sequential(
            ConvBlock(config.stem, config.quarter, stride=2), ConvBlock(config.quarter, config.quarter)
        )
        self.stage8 = nn.Sequential(
            ConvBlock(config.quarter, config.eighth, stride=2),
            ConvBlock(config.eighth, config.eighth),
            ConvBlock(config.eighth, config.eighth),
        )
        self.stage16 = nn.Sequential(ConvBlock(config.eighth, deep, stride=2), ConvBlock(deep, deep))
        self.stage32 = nn.Sequential(ConvBlock(deep, deep, stride=2), ConvBlock(deep, deep))
        self.lateral16 = nn.Conv2d(deep, fine, 1)
        self.lateral8 = nn.Conv2d(config.eighth, fine, 1)
        self.lateral4 = nn.Conv2d(config.quarter, fine, 1)
        self.smooth8 = ConvBlock(fine, fine)
        self.smooth4 = nn.Sequential(
            nn.Conv2d(fine, fine, 3, padding=1, groups=fine, bias=False),
            ConvBlock(fine, fine, kernel=1),
            nn.Conv2d(fine, fine, 1),
        )
        self.coarse_head = nn.Conv2d(deep, config.coarse, 1)
        self.detail_from_fine = nn.Conv2d(fine, detail, 1)
        self.detail_from_stem = nn.Conv2d(config.stem, detail, 1)
        self.detail_head = nn.Conv2d(detail, detail, 1)
        self.subcell = nn.Conv2d(fine, 4 * detail, 1, bias=False) if config.subcell else None
        if self.subcell is not None:
            # At zero it changes nothing, so that training can go on from weights without it.
            nn.init.zeros_(self.subcell.weight)
        self._places_first = False
        self.detector = SoftDetection()
        self.consensus = SeparableConsensus(config.consensus_channels, config.consensus_layers)
        self.descriptor_temperature = nn.Parameter(torch.tensor(15.0))
        self.detail_temperature = nn.Parameter(torch.tensor(10.0))

    def forward(self, images: torch.Tensor) -> CompactMaps:
        """Return the maps, float32 whatever the weights' type, of (B, 1, H, W) grey images of any size.

        Images are float in [0, 1] or uint8.

        Raises:
            ImageError: the shape is another, or a pixel is not finite.
        """
        height, width = images.shape[-2:]
        normalised = _normalise(as_fractions(images, 1, "the compact network"))
        padded = _pad(normalised).to(self.lateral4.weight.dtype)
        x2 = self.stage2(padded)
        x4 = self.stage4(x2)
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        # In place wherever no gradient needs the former values: fresh memory costs more than the sums.
        x16 = _doubled(self.stage32(x16), x16).add_(x16)
        x8 = self.smooth8(relu_(_doubled(self.lateral16(x16), x8).add_(self.lateral8(x8))))
        fine = self.smooth4(relu_(_doubled(x8, x4).add_(self.lateral4(x4))))
        detail = _doubled(self.detail_from_fine(fine), x2).add_(self.detail_from_stem(x2))
        if self.subcell is not None:
            _quarters(detail).add_(self._by_quarter(self.subcell(fine)))
        return CompactMaps(
            detail=_crop(_planes(self.detail_head, relu_(detail)), DETAIL_STRIDE, height, width),
            fine=_crop(fine, FINE_STRIDE, height, width),
            coarse=_crop(self.coarse_head(x16), COARSE_STRIDE, height, width),
        )

    def fuse(self) -> CompactNetwork:
        """Make the network faster for inference only, in place: fold batch norms, store channels last."""
        self.eval()
        self.consensus.fuse()
        for module in self.modules():
            if isinstance(module, ConvBlock):
                module.fuse()
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        if self.subcell is not None and not self._places_first:
            # The channels of one place lie together in the map that they are added to.
            weight = self.subcell.weight.data
            self.subcell.weight.data = weight.view(-1, 4, *weight.shape[1:]).transpose(0, 1).flatten(0, 1)
            self._places_first = True
        return self

    def _by_quarter(self, values: torch.Tensor) -> torch.Tensor:
        """Return the subcell map (B, 4 C, h, w) as (B, C, h, 2, w, 2)."""
        count, channels, height, width = values.shape
        if self._places_first:
            return values.view(count, 2, 2, channels // 4, height, width).permute(0, 3, 4, 1, 5, 2)
        return values.view(count, channels // 4, 2, 2, height, width).permute(0, 1, 4, 2, 5, 3)


def describe(fine: DenseMap, points: torch.Tensor) -> torch.Tensor:
    """Return (N, C) unit descriptors at (N, 2) pixels of the first image of the batch."""
    return normalize(fine.sample(points[None])[0], dim=1)


def _normalise(images: torch.Tensor) -> torch.Tensor:
    """Return each image with mean 0 and deviation 1; one without contrast stays near 0."""
    centred = images - images.mean((2, 3), keepdim=True)
    deviation = centred.square().mean((2, 3), keepdim=True).sqrt()
    return centred.div_(deviation.add_(1e-3))


def _pad(images: torch.Tensor) -> torch.Tensor:
    height, width = images.shape[-2:]
    right, bottom = -width % PADDED_TO, -height % PADDED_TO
    if right == 0 and bottom == 0:
        return images
    # The continued border has no edge that a detector could take for a keypoint.
    return pad(images, (0, right, 0, bottom), mode="replicate")


def _doubled(small: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return the map at twice its size, less a last row or column that `like` does not have."""
    large = interpolate(small, scale_factor=2.0, mode="bilinear", align_corners=False)
    return large[..., : like.shape[-2], : like.shape[-1]]


def _quarters(values: torch.Tensor) -> torch.Tensor:
    """Return a view (B, C, h, 2, w, 2) of a map (B, C, 2 h, 2 w)."""
    count, channels, height, width = values.shape
    return values.view(count, channels, height // 2, 2, width // 2, 2)


def _planes(pointwise: nn.Conv2d, values: torch.Tensor) -> torch.Tensor:
    """Return what a 1x1 convolution gives, one channel after the other in memory whatever the input's order.

    Detection works on whole channels; to reorder them afterwards costs more than this product.
    """
    assert pointwise.bias is not None
    weight = pointwise.weight[:, :, 0, 0].expand(len(values), -1, -1)
    product = torch.bmm(weight, values.flatten(2)).add_(pointwise.bias[:, None])
    return product.view(len(values), len(pointwise.weight), *values.shape[2:])


def _crop(values: torch.Tensor, stride: int, height: int, width: int) -> DenseMap:
    values = values[..., : -(-height // stride), : -(-width // stride)]
    return DenseMap(values.float(), stride, (stride - 1) / 2)
