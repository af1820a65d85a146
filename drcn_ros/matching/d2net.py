# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""D2-Net: keypoints and descriptors from one feature map, matched by mutual nearest neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.errors import WeightsError
from drcn_ros.matching.base import Matcher, check_image, to_grey
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import choose_device
from drcn_ros.matching.nearest import mutual_nearest
from drcn_ros.matching.types import Features, Matches
from drcn_ros.networks.compact import CompactNetwork, describe
from drcn_ros.networks.detection import strongest_maxima
from drcn_ros.networks.weights import load_network


class D2NetMatcher(Matcher[Features]):
    """D2-Net on the compact network.

    The score of a match is its dual-softmax confidence: near 1 when no other point competes.

    Raises:
        ConfigurationError: the device is not there.
        WeightsError: the weight file is unusable or for another method.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        self._device = choose_device(config.device)
        network = load_network(Path(config.weights) if config.weights else None)
        if not isinstance(network, CompactNetwork):
            msg = f"weight file {config.weights} is for {type(network).__name__}, which is no D2-Net"
            raise WeightsError(msg)
        self._network = network.fuse().to(self._device)

    @property
    def name(self) -> str:
        """Name as in `MatcherConfig.name`."""
        return "d2net"

    @torch.inference_mode()
    def extract(self, image: NDArray[np.uint8]) -> Features:
        """Return keypoints and descriptors of an image."""
        check_image(image)
        pixels = torch.from_numpy(np.ascontiguousarray(to_grey(image))).to(self._device)
        maps = self._network(pixels[None, None].float() / 255)
        scores = self._network.detector(maps.detail.values)[0, 0]
        cells, strength = strongest_maxima(scores, self.config.max_keypoints)
        points = maps.detail.pixels(cells)
        return Features(
            size=(image.shape[1], image.shape[0]),
            points=points,
            scores=strength,
            scales=torch.full_like(strength, maps.fine.stride),
            descriptors=describe(maps.fine, points),
        )

    @torch.inference_mode()
    def match(self, reference: Features, current: Features) -> Matches:
        """Return mutual nearest neighbours, most confident first."""
        assert reference.descriptors is not None
        assert current.descriptors is not None
        temperature = float(self._network.descriptor_temperature)
        pairs = mutual_nearest(reference.descriptors, current.descriptors, temperature=temperature)
        return Matches.of_pairs(reference, current, pairs, pairs.confidence, self.config.min_score)
