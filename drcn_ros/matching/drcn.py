# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN as a matcher."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from drcn_ros.matching.base import Matcher, check_image, to_grey
from drcn_ros.matching.coarse_prior import coarse_log_probability, widened
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.nearest import mutual_pairs
from drcn_ros.matching.types import Features, Matches
from drcn_ros.networks.compact import COARSE_STRIDE, CompactNetwork
from drcn_ros.networks.detection import strongest_maxima
from drcn_ros.networks.maps import DenseMap
from drcn_ros.networks.weights import load_network


@dataclass(frozen=True)
class DrcnFeatures(Features):
    """Keypoints with both resolutions of one image.

    Attributes:
        coarse: unit features at 1/16, what is correlated first.
        image: (H, W) grey, what matches are refined on.
    """

    coarse: DenseMap
    image: NDArray[np.uint8]


class DrcnMatcher(Matcher[DrcnFeatures]):
    """Coarse 4D correlation with neighbourhood consensus guides the comparison of fine descriptors."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        network = load_network(Path(config.weights) if config.weights else None)
        assert isinstance(network, CompactNetwork)
        self._device = torch.device("cpu")
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
        cells, scores = strongest_maxima(
            self._network.detector(maps.detail.values)[0, 0], self.config.max_keypoints
        )
        points = maps.detail.pixels(cells)
        return DrcnFeatures(
            size=(image.shape[1], image.shape[0]),
            points=points,
            scores=scores,
            scales=torch.full_like(scores, float(maps.detail.stride)),
            descriptors=normalize(maps.fine.sample(points[None])[0], dim=1),
            coarse=DenseMap(normalize(maps.coarse.values, dim=1), maps.coarse.stride, maps.coarse.origin),
            image=grey,
        )

    @torch.inference_mode()
    def match(self, reference: DrcnFeatures, current: DrcnFeatures) -> Matches:
        """Return keypoints that are each other's most probable correspondence."""
        if len(reference) == 0 or len(current) == 0:
            return Matches.empty()
        assert reference.descriptors is not None
        assert current.descriptors is not None
        prior = widened(
            coarse_log_probability(
                self._network.consensus, reference.coarse.values[0], current.coarse.values[0]
            )
        )
        prior = prior.flatten(2).flatten(0, 1)[_cell_index(reference)][:, _cell_index(current)]
        scaled = self._network.descriptor_temperature.clamp(max=60) * reference.descriptors
        descriptors = current.descriptors

        def logits(start: int, stop: int) -> torch.Tensor:
            return torch.addmm(prior[start:stop], scaled[start:stop], descriptors.T)

        pairs = mutual_pairs(logits, len(reference), len(current), self._device)
        return Matches.of_pairs(reference, current, pairs, pairs.confidence, self.config.min_score)


def _cell_index(features: DrcnFeatures) -> torch.Tensor:
    """Return (N,) flat coarse cells that the keypoints lie in."""
    height, width = features.coarse.values.shape[-2:]
    x, y = ((features.points + 0.5) / COARSE_STRIDE).long().unbind(dim=1)
    return y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
