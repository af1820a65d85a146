# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What DRCN keeps of an image, on the compact network and on the published one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from drcn_ros.errors import WeightsError
from drcn_ros.matching.base import to_grey
from drcn_ros.matching.blocked_prior import LARGEST_WHOLE
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import choose_precision, prepare, upload
from drcn_ros.matching.filling import marked
from drcn_ros.matching.keypoints import detect_keypoints
from drcn_ros.matching.memory import Demand
from drcn_ros.matching.patches import ImageFeatures
from drcn_ros.matching.smoothing import smooth
from drcn_ros.networks.compact import COARSE_STRIDE, CompactNetwork, describe
from drcn_ros.networks.detection import SoftDetection, strongest_maxima
from drcn_ros.networks.drcn import DRCN, DRCNMaps
from drcn_ros.networks.maps import DenseMap
from drcn_ros.networks.resnet_fpn import FINE_STRIDE
from drcn_ros.networks.weights import load_network


@dataclass(frozen=True)
class CompactFeatures(ImageFeatures):
    """Features of the compact network.

    Attributes:
        coarse: (C, h, w) unit features at 1/16.
        fine: (1, C, H/4, W/4) features, not normalised.
    """

    coarse: torch.Tensor
    fine: DenseMap

    @property
    def coarse_cells(self) -> torch.Tensor:
        """Flat coarse cells (N,) that the keypoints lie in."""
        height, width = self.coarse.shape[-2:]
        x, y = ((self.points + 0.5) / COARSE_STRIDE).long().unbind(dim=1)
        return y.clamp(0, height - 1) * width + x.clamp(0, width - 1)


@dataclass(frozen=True)
class PublishedFeatures(ImageFeatures):
    """Features of the published network.

    Attributes:
        maps: fine and coarse features of a batch of one.
    """

    maps: DRCNMaps


def load_drcn(config: MatcherConfig, device: torch.device) -> CompactNetwork | DRCN:
    """Return the network of the weight file, ready for inference.

    Raises:
        WeightsError: the file is unusable or for another method.
    """
    network = load_network(Path(config.weights) if config.weights else None)
    precision = choose_precision(config.precision, device)
    if isinstance(network, CompactNetwork):
        return prepare(network.fuse(), device, precision, config.compile)
    if isinstance(network, DRCN):
        winograd = device.type == "cpu" and precision == torch.float32 and config.compile in ("auto", "off")
        return prepare(network.fuse(for_cpu=winograd), device, precision, config.compile)
    msg = f"weight file {config.weights} is for {type(network).__name__}, which is no DRCN"
    raise WeightsError(msg)


def demand_of(network: CompactNetwork | DRCN) -> Demand:
    """Return what a pair of images takes, by measurements of 320x240 to 1920x1080 (docs/performance.md)."""
    if isinstance(network, CompactNetwork):
        return Demand(per_pixel=380.0, per_pair=11.0, whole_pairs=LARGEST_WHOLE, in_blocks=200e6)
    return Demand(per_pixel=150.0 + 2.4 * network.backbone.config.channels, per_pair=55.0)


def extract_compact(
    network: CompactNetwork,
    image: NDArray[np.uint8],
    count: int,
    device: torch.device,
    kept: NDArray[np.bool_] | None = None,
) -> CompactFeatures:
    """Return keypoints at half resolution, their fine descriptors, and the maps."""
    grey = to_grey(image)
    pixels = upload(grey, device)
    maps = network(pixels[None, None])
    points, scores = detect_keypoints(network, maps, grey, count, kept)
    found = CompactFeatures(
        size=(image.shape[1], image.shape[0]),
        points=points,
        scores=scores,
        scales=torch.full_like(scores, maps.fine.stride),
        descriptors=describe(maps.fine, points),
        image=smooth(pixels.float() / 255),
        coarse=normalize(maps.coarse.values[0], dim=0),
        fine=maps.fine,
    )
    return marked(found)


def extract_published(
    network: DRCN,
    image: NDArray[np.uint8],
    count: int,
    device: torch.device,
    kept: NDArray[np.bool_] | None = None,
) -> PublishedFeatures:
    """Return the maps, and as keypoints the fine cells that D2-Net's rule finds on the fine map."""
    grey = upload(to_grey(image), device)
    colour = upload(image, device).permute(2, 0, 1) if image.ndim == 3 else grey.expand(3, -1, -1)
    maps = network(colour[None])
    height, width = (-(-edge // FINE_STRIDE) for edge in image.shape[:2])
    detection = SoftDetection()(maps.fine)[0, 0, :height, :width].detach()
    if kept is not None:
        detection = detection * upload(kept[::FINE_STRIDE, ::FINE_STRIDE], detection.device)
    cells, scores = strongest_maxima(detection, count)
    cells = cells.round()
    points = cells * FINE_STRIDE
    found = PublishedFeatures(
        size=(image.shape[1], image.shape[0]),
        points=points,
        scores=scores,
        scales=torch.full_like(scores, FINE_STRIDE),
        descriptors=normalize(maps.fine[0][:, cells[:, 1].long(), cells[:, 0].long()].T, dim=1),
        image=smooth(grey.float() / 255),
        maps=maps,
    )
    return marked(found)
