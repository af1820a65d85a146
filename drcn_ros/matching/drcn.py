# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN: a cleaned coarse 4D correlation tells where fine descriptors may match (Li et al., NeurIPS 2020).

On the compact network the queries are keypoints at half resolution in both images. The measure of a pair is
the product of its coarse probability and its fine similarity, tested in both directions; the matches are then
refined on the images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from drcn_ros.errors import WeightsError
from drcn_ros.matching.alignment import align_matches, smooth
from drcn_ros.matching.base import Matcher, check_image, to_grey
from drcn_ros.matching.coarse_prior import coarse_logits, pair_log_probability
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import choose_device
from drcn_ros.matching.keypoints import detect_keypoints
from drcn_ros.matching.nearest import mutual_pairs
from drcn_ros.matching.types import Features, Matches
from drcn_ros.networks.compact import COARSE_STRIDE, CompactNetwork, describe
from drcn_ros.networks.weights import load_network


@dataclass(frozen=True)
class DrcnFeatures(Features):
    """Keypoints, with the coarse features of the image and the image that matches are refined on.

    Attributes:
        coarse: (C, h, w) unit features at 1/16.
        image: (H, W) grey, smoothed, in [0, 1].
    """

    coarse: torch.Tensor
    image: torch.Tensor


class DrcnMatcher(Matcher[DrcnFeatures]):
    """DRCN on the compact network.

    The score of a match is its dual-softmax confidence, times the correlation of its patches when refined.

    Raises:
        ConfigurationError: the device is not there.
        WeightsError: the weight file is unusable or for another method.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        self._device = choose_device(config.device)
        network = load_network(Path(config.weights) if config.weights else None)
        if not isinstance(network, CompactNetwork):
            msg = f"weight file {config.weights} is for {type(network).__name__}, which is no DRCN"
            raise WeightsError(msg)
        self._network = network.fuse().to(self._device)

    @property
    def name(self) -> str:
        """Name as in `MatcherConfig.name`."""
        return "drcn"

    @torch.inference_mode()
    def extract(self, image: NDArray[np.uint8]) -> DrcnFeatures:
        """Return keypoints, fine descriptors and coarse features of an image."""
        check_image(image)
        grey = to_grey(image)
        pixels = torch.from_numpy(np.ascontiguousarray(grey)).to(self._device).float() / 255
        maps = self._network(pixels[None, None])
        points, scores = detect_keypoints(self._network, maps, grey, self.config.max_keypoints)
        return DrcnFeatures(
            size=(image.shape[1], image.shape[0]),
            points=points,
            scores=scores,
            scales=torch.full_like(scores, maps.fine.stride),
            descriptors=describe(maps.fine, points),
            coarse=normalize(maps.coarse.values[0], dim=0),
            image=smooth(pixels),
        )

    @torch.inference_mode()
    def match(self, reference: DrcnFeatures, current: DrcnFeatures) -> Matches:
        """Return keypoints that are each other's most probable correspondence, best first."""
        if len(reference) == 0 or len(current) == 0:
            return Matches.empty()
        assert reference.descriptors is not None
        assert current.descriptors is not None
        logits = coarse_logits(self._network.consensus, reference.coarse, current.coarse)
        prior = pair_log_probability(logits, _coarse_cells(reference), _coarse_cells(current))
        scaled = reference.descriptors * self._network.descriptor_temperature
        transposed = current.descriptors.T

        def measure(start: int, stop: int) -> torch.Tensor:
            return torch.addmm(prior[start:stop], scaled[start:stop], transposed)

        pairs = mutual_pairs(measure, len(reference), len(current), self._device)
        matches = Matches.of_pairs(reference, current, pairs, pairs.confidence, self.config.min_score)
        if self.config.refine:
            return align_matches(reference.image, current.image, matches)
        return matches


def _coarse_cells(features: DrcnFeatures) -> torch.Tensor:
    """Return (N,) flat coarse cells that the keypoints lie in."""
    height, width = features.coarse.shape[-2:]
    x, y = ((features.points + 0.5) / COARSE_STRIDE).long().unbind(dim=1)
    return y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
