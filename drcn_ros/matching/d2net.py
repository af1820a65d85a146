# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""D2-Net: keypoints and descriptors from one feature map, matched by mutual nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.errors import WeightsError
from drcn_ros.matching.base import Matcher, check_image, to_grey
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import choose_device
from drcn_ros.matching.keypoints import detect_keypoints
from drcn_ros.matching.nearest import mutual_nearest
from drcn_ros.matching.refinement import refine_matches
from drcn_ros.matching.types import Features, Matches
from drcn_ros.networks.compact import CompactNetwork, describe
from drcn_ros.networks.weights import load_network


@dataclass(frozen=True)
class D2NetFeatures(Features):
    """Keypoints of one image and what their matches are refined on.

    Attributes:
        image: (H, W) grey.
    """

    image: NDArray[np.uint8]


class D2NetMatcher(Matcher[D2NetFeatures]):
    """D2-Net on the compact network.

    The score of a match is its confidence: near 1 when no other point competes.

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
    def extract(self, image: NDArray[np.uint8]) -> D2NetFeatures:
        """Return keypoints and descriptors of an image."""
        check_image(image)
        grey = np.ascontiguousarray(to_grey(image))
        pixels = torch.from_numpy(grey).to(self._device)
        maps = self._network(pixels[None, None].float() / 255)
        points, scores = detect_keypoints(self._network, maps, grey, self.config.max_keypoints)
        return D2NetFeatures(
            size=(image.shape[1], image.shape[0]),
            points=points,
            scores=scores,
            scales=torch.full_like(scores, maps.fine.stride),
            descriptors=describe(maps.fine, points),
            image=grey,
        )

    @torch.inference_mode()
    def match(self, reference: D2NetFeatures, current: D2NetFeatures) -> Matches:
        """Return mutual nearest neighbours, most confident first."""
        assert reference.descriptors is not None
        assert current.descriptors is not None
        temperature = float(self._network.descriptor_temperature)
        pairs = mutual_nearest(reference.descriptors, current.descriptors, temperature=temperature)
        matches = Matches.of_pairs(reference, current, pairs, pairs.confidence, self.config.min_score)
        if self.config.refine:
            return refine_matches(reference.image, current.image, matches)
        return matches
