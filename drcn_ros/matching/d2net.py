# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""D2-Net: keypoints and descriptors from one feature map, matched by mutual nearest neighbours."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from drcn_ros.errors import WeightsError
from drcn_ros.matching.base import Matcher, check_image, to_grey
from drcn_ros.matching.calibration import calibrate
from drcn_ros.matching.candidates import matches_of_pairs
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import choose_device, choose_precision, prepare, upload
from drcn_ros.matching.filling import marked
from drcn_ros.matching.keypoints import detect_keypoints, inside
from drcn_ros.matching.memory import Demand, MemoryGuard
from drcn_ros.matching.nearest import MutualPairs, best_nearest, distance_ratio_squared
from drcn_ros.matching.patches import ImageFeatures
from drcn_ros.matching.smoothing import smooth
from drcn_ros.matching.types import Matches
from drcn_ros.networks.compact import CompactNetwork, describe
from drcn_ros.networks.constants import constant
from drcn_ros.networks.d2net import PYRAMID, SMALLEST, STRIDE, D2Net
from drcn_ros.networks.weights import load_network

# The authors' limits for the longest edge and for the sum of both, pixels.
_LONGEST_EDGE = 1600
_LARGEST_SUM = 2800


class D2NetMatcher(Matcher[ImageFeatures]):
    """D2-Net on the compact network, or on VGG16 where the weight file is for that.

    The score of a match on the compact network is its probability in both directions, calibrated after that
    where the weights tell how; `min_score` is held against the former. The descriptors of
    VGG16 have no scale of probability: their score is sqrt(1 - r^2) with the ratio r of the distances to the
    nearest and to the second nearest, so that a low `min_score` drops next to nothing, as the authors do.

    Raises:
        ConfigurationError: the device is not there.
        WeightsError: the weight file is unusable or for another method.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        self._device = choose_device(config.device)
        network = load_network(Path(config.weights) if config.weights else None)
        if not isinstance(network, (CompactNetwork, D2Net)):
            msg = f"weight file {config.weights} is for {type(network).__name__}, which is no D2-Net"
            raise WeightsError(msg)
        precision = choose_precision(config.precision, self._device)
        if isinstance(network, CompactNetwork):
            network = network.fuse()
        else:
            if self._device.type == "cpu" and precision == torch.float32:
                network = network.accelerate()
        self._network = prepare(network, self._device, precision, config.compile)
        demand = Demand(per_pixel=350.0 if isinstance(network, CompactNetwork) else 700.0)
        self._guard = MemoryGuard(self.name, demand, self._device)
        self._temperature = 1.0
        if isinstance(network, CompactNetwork):
            self._temperature = float(network.descriptor_temperature.detach())

    @property
    def name(self) -> str:
        """Name as in `MatcherConfig.name`."""
        return "d2net"

    @torch.inference_mode()
    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> ImageFeatures:
        """Return keypoints and descriptors of an image; one too small for the network has none.

        Raises:
            ImageError: the array has another shape or type.
            OutOfMemoryError: memory does not suffice for matching images of this size.
        """
        check_image(image)
        grey = to_grey(image)
        pixels = upload(grey, self._device)
        if isinstance(self._network, CompactNetwork):
            found = self._on_compact(self._network, grey, pixels, kept)
        else:
            found = self._on_vgg16(self._network, image, kept)
        size = image.shape[1], image.shape[0]
        features = ImageFeatures(size, *found, image=smooth(pixels.float() / 255))
        return marked(features) if isinstance(self._network, CompactNetwork) else features

    def _on_compact(
        self,
        network: CompactNetwork,
        grey: NDArray[np.uint8],
        pixels: torch.Tensor,
        kept: NDArray[np.bool_] | None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        self._guard.check(grey.shape[1], grey.shape[0])
        maps = network(pixels[None, None])
        points, scores = detect_keypoints(network, maps, grey, self.config.max_keypoints, kept)
        scales = torch.full_like(scores, maps.fine.stride)
        return points, scores, scales, describe(maps.fine, points)

    def _on_vgg16(
        self, network: D2Net, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        pixels = _shrunk(upload(np.atleast_3d(image), self._device).permute(2, 0, 1)[None])
        if min(pixels.shape[2:]) < SMALLEST:
            none = torch.zeros(0, device=self._device)
            return none.view(0, 2), none, none, none.view(0, 512)
        scales = PYRAMID if self.config.multiscale else (1.0,)
        # The largest scale of the pyramid takes the most.
        self._guard.check(*(round(max(scales) * pixels.shape[axis]) for axis in (3, 2)))
        (found,) = network.keypoints(pixels, scales, self.config.max_keypoints)
        factor = constant([image.shape[1] / pixels.shape[3], image.shape[0] / pixels.shape[2]], found.points)
        points = (found.points + 0.5) * factor - 0.5
        sizes = found.scales * STRIDE * factor.mean()
        if kept is None:
            return points, found.scores, sizes, found.descriptors
        rows = inside(kept, points).nonzero()[:, 0]
        return points[rows], found.scores[rows], sizes[rows], found.descriptors[rows]

    @torch.inference_mode()
    def match(self, reference: ImageFeatures, current: ImageFeatures) -> Matches:
        """Return mutual nearest neighbours, most confident first."""
        assert reference.descriptors is not None
        assert current.descriptors is not None
        compact = isinstance(self._network, CompactNetwork)
        pairs = best_nearest(
            reference.descriptors,
            current.descriptors,
            ratio=self.config.max_ratio if self.config.max_ratio < 1 else None,
            min_similarity=self.config.min_similarity,
            temperature=self._temperature,
            real=(reference.real, current.real),
        )

        def measure(pairs: MutualPairs) -> torch.Tensor:
            return pairs.confidence if compact else (1 - distance_ratio_squared(pairs)).sqrt()

        matches = matches_of_pairs(
            reference, current, pairs, measure, self.config.min_score, self.config.refine
        )
        return calibrate(matches, self._network, self.config)


def _shrunk(pixels: torch.Tensor) -> torch.Tensor:
    """Return (1, C, H, W) pixels within the authors' limits of size."""
    height, width = pixels.shape[2:]
    factor = min(1.0, _LONGEST_EDGE / max(height, width), _LARGEST_SUM / (height + width))
    if factor == 1:
        return pixels
    size = (math.floor(height * factor), math.floor(width * factor))
    return interpolate(pixels.float(), size=size, mode="bilinear", align_corners=False, antialias=True)
