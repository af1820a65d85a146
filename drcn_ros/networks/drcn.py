# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN, Dual-Resolution Correspondence Networks (Li et al., NeurIPS 2020), as published and smaller."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from drcn_ros.errors import WeightsError
from drcn_ros.networks.consensus import NeighbourhoodConsensus
from drcn_ros.networks.constants import constant
from drcn_ros.networks.correlation import correlate, mutual_matching, normalise
from drcn_ros.networks.fine_search import SearchOptions, SearchResult, search
from drcn_ros.networks.images import as_fractions
from drcn_ros.networks.resnet_fpn import COARSE_STRIDE, FINE_STRIDE, RESNET_FPNS, ResnetFpn

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
# The reference reports the corner-to-corner centre of a 4 px cell; by the padding of its convolutions a cell
# describes the pixel 2 px up and left of that. Equal in both images, it moves the principal point.
REFERENCE_OFFSET = 2.0


@dataclass(frozen=True)
class DRCNConfig:
    """Sizes of the network; stored in its weight files.

    Attributes:
        backbone: name in `RESNET_FPNS`.
        consensus_channels: outputs of the 4D convolutions, the last is 1.
        consensus_kernels: their odd kernel sizes.
    """

    backbone: str = "resnet101fpn_3_256_4"
    consensus_channels: tuple[int, ...] = (16, 1)
    consensus_kernels: tuple[int, ...] = (3, 3)


@dataclass(frozen=True)
class DRCNMaps:
    """Features of a batch of images, vectors of almost unit length, never longer.

    Attributes:
        fine: (B, C, 4 h, 4 w); fine cell f lies at pixel 4 f.
        coarse: (B, C', h, w); coarse cell c lies at pixel 16 c.
        size: (height, width) of the images before they were padded to multiples of 16.
    """

    fine: torch.Tensor
    coarse: torch.Tensor
    size: tuple[int, int]

    def __getitem__(self, index: int) -> DRCNMaps:
        """Return the maps of one image, as a batch of one."""
        return DRCNMaps(self.fine[index : index + 1], self.coarse[index : index + 1], self.size)


@dataclass(frozen=True)
class DRCNMatches:
    """Correspondences of one pair, best first.

    Attributes:
        source: (M, 2) pixels (x, y) of A, cell times 4.
        target: (M, 2) pixels of B.
        scores: (M,) sum of the measures of both directions.
    """

    source: torch.Tensor
    target: torch.Tensor
    scores: torch.Tensor


class DRCN(nn.Module):
    """Backbone and consensus; `forward` gives the maps of images, `match` compares them."""

    def __init__(self, config: DRCNConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DRCNConfig()
        if config.backbone not in RESNET_FPNS:
            msg = f"backbone {config.backbone!r} is unknown; known are {', '.join(RESNET_FPNS)}"
            raise WeightsError(msg)
        self.backbone = ResnetFpn(RESNET_FPNS[config.backbone])
        self.consensus = NeighbourhoodConsensus(config.consensus_channels, config.consensus_kernels)
        self.mean: torch.Tensor
        self.deviation: torch.Tensor
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> DRCNMaps:
        """Return the maps, float32 whatever the backbone's type, of (B, 3, H, W) RGB images of any size.

        Images are float in [0, 1] or uint8.

        Raises:
            ImageError: the shape is another, or a pixel is not finite.
        """
        images = (as_fractions(images, 3, "DRCN") - self.mean) / self.deviation
        height, width = images.shape[-2:]
        bottom, right = -height % COARSE_STRIDE, -width % COARSE_STRIDE
        if bottom or right:
            images = functional.pad(images, (0, right, 0, bottom), mode="replicate")
        fine, coarse = self.backbone(images.to(self.backbone.lateral2.weight.dtype))
        return DRCNMaps(normalise(fine.float()), normalise(coarse.float()), (height, width))

    def fuse(self, for_cpu: bool = True) -> DRCN:
        """Make the backbone quicker, for inference only; return the network itself."""
        self.eval()
        self.backbone.fuse(for_cpu)
        return self

    def correlate(
        self, source: DRCNMaps, target: DRCNMaps, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """Return the cleaned coarse correlation (B, hA, wA, hB, wB), at least 0, in float32.

        With `dtype` float16 it is computed as the reference evaluates: all of it in half precision.
        """
        correlation = correlate(source.coarse.to(dtype), target.coarse.to(dtype))
        return mutual_matching(self.consensus(mutual_matching(correlation))).float()

    def match(
        self,
        source: DRCNMaps,
        target: DRCNMaps,
        options: SearchOptions | None = None,
        dtype: torch.dtype = torch.float32,
        count: int | None = None,
    ) -> list[DRCNMatches]:
        """Return the correspondences of each pair of a batch; at most the `count` best of a pair."""
        correlation = self.correlate(source, target, dtype)
        options = options or SearchOptions()
        return [
            _located(search(fine_a, fine_b, cleaned, options).mutual(), fine_a, fine_b, source, target, count)
            for fine_a, fine_b, cleaned in zip(source.fine, target.fine, correlation, strict=True)
        ]


def resize_longest(images: torch.Tensor, longest: int) -> torch.Tensor:
    """Return (B, C, H, W) images resized as the reference does for its evaluations.

    The longest edge becomes `longest`, then both are cut to multiples of 16 (which squeezes a little).
    """
    height, width = images.shape[-2:]
    scale = longest / max(height, width)
    size = [max(1, int(edge * scale) // COARSE_STRIDE) * COARSE_STRIDE for edge in (height, width)]
    return functional.interpolate(images, size=size, mode="bilinear", align_corners=False)


def _located(
    found: SearchResult,
    fine_a: torch.Tensor,
    fine_b: torch.Tensor,
    source: DRCNMaps,
    target: DRCNMaps,
    count: int | None,
) -> DRCNMatches:
    """Return the best matches in pixels; what lies in the padding of either image is cropped."""
    points_a, points_b = _pixels(found.queries, fine_a), _pixels(found.targets, fine_b)
    inside = (points_a < constant(source.size[::-1], points_a)).all(dim=1)
    inside &= (points_b < constant(target.size[::-1], points_b)).all(dim=1)
    # One look at the mask: each index by a mask would have a GPU tell how many places it has.
    kept = inside.nonzero()[:count, 0]
    return DRCNMatches(points_a[kept], points_b[kept], (found.forward + found.backward)[kept])


def _pixels(cells: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    width = fine.shape[-1]
    return torch.stack([cells % width, cells // width], dim=1).float() * FINE_STRIDE
