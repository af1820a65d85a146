# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DRCN: a cleaned coarse 4D correlation tells where fine features may match (Li et al., NeurIPS 2020).

On the compact network the queries are keypoints at half resolution in both images, and the measure of a pair
is the product of its coarse and its fine probability. On the published network all is as published: the
queries are the fine cells of the best half of the coarse ones. Both test a match in both directions, and both
refine it on the images.
"""

from __future__ import annotations

import torch

from drcn_ros.matching.alignment import align_matches
from drcn_ros.matching.blocked_prior import coarse_prior
from drcn_ros.matching.calibration import calibrate
from drcn_ros.matching.candidates import Candidates, matches_of_pairs
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.drcn_base import DrcnBase
from drcn_ros.matching.drcn_features import (
    CompactFeatures,
    PublishedFeatures,
)
from drcn_ros.matching.filling import shut_out
from drcn_ros.matching.nearest import best_pairs
from drcn_ros.matching.patches import ImageFeatures
from drcn_ros.matching.types import Matches
from drcn_ros.networks.compact import CompactNetwork
from drcn_ros.networks.drcn import DRCN
from drcn_ros.networks.resnet_fpn import FINE_STRIDE


class DrcnMatcher(DrcnBase):
    """DRCN on the compact network, or on the published one where the weight file is for that.

    A match is measured by its probability in both directions on the compact network, and by half the sum of
    both measures on the published one; refinement lowers what the image does not place well.
    The score is that, calibrated where the weights tell how. `min_score` is held against the probability in
    both directions; published measures are none, so that it does not apply to them.
    """

    @property
    def name(self) -> str:
        """Name as in `MatcherConfig.name`."""
        return "drcn"

    @torch.inference_mode()
    def match(self, reference: ImageFeatures, current: ImageFeatures) -> Matches:
        """Return what shows the same place in both images, most certain first."""
        if isinstance(self._network, CompactNetwork):
            assert isinstance(reference, CompactFeatures)
            assert isinstance(current, CompactFeatures)
            matches = _match_keypoints(self._network, reference, current, self.config)
        else:
            assert isinstance(reference, PublishedFeatures)
            assert isinstance(current, PublishedFeatures)
            matches = _match_cells(self._network, reference, current, self.config)
        return calibrate(matches, self._network, self.config)


def _match_keypoints(
    network: CompactNetwork, reference: CompactFeatures, current: CompactFeatures, config: MatcherConfig
) -> Matches:
    """Return keypoints that are each other's most probable correspondence."""
    if len(reference.points) == 0 or len(current.points) == 0:
        return Matches.empty()
    assert reference.descriptors is not None
    assert current.descriptors is not None
    coarse = coarse_prior(network.consensus, reference.coarse, current.coarse)
    prior = coarse.pairs(reference.coarse_cells, current.coarse_cells)
    prior = shut_out(prior, reference.real, current.real)
    scaled = reference.descriptors * network.descriptor_temperature
    transposed = current.descriptors.T

    def measure(start: int, stop: int) -> torch.Tensor:
        return torch.addmm(prior[start:stop], scaled[start:stop], transposed)

    pairs = best_pairs(measure, len(prior), prior.shape[1], prior.device)
    return matches_of_pairs(
        reference, current, pairs, lambda best: best.confidence, config.min_score, config.refine
    )


def _match_cells(
    network: DRCN, reference: PublishedFeatures, current: PublishedFeatures, config: MatcherConfig
) -> Matches:
    """Return the best fine cells that find each other; one that is a keypoint carries its index."""
    found = network.match(reference.maps, current.maps, count=config.max_keypoints)[0]
    index = _keypoint_index(reference, found.source), _keypoint_index(current, found.target)
    scores = found.scores / 2
    if scores.device.type == "cpu":
        source, target, rows_source, rows_target = (
            part.numpy() for part in (found.source, found.target, *index)
        )
        matches = Matches(source, target, scores.numpy(), rows_source, rows_target)
        return align_matches(reference, current, matches) if config.refine else matches
    good = torch.ones_like(scores, dtype=torch.bool)
    rows = Candidates(found.source, found.target, scores, *index, good)
    if config.refine and len(scores):
        rows = rows.refined(reference.patches_at(found.source), current)
    return rows.on_host(reference, current)


def _keypoint_index(features: PublishedFeatures, points: torch.Tensor) -> torch.Tensor:
    """Return (M,) rows of the keypoints at fine cells, -1 where there is none."""
    height, width = features.maps.fine.shape[-2:]
    index = torch.full((height, width), -1, dtype=torch.int64, device=points.device)
    x, y = (features.points / FINE_STRIDE).long().T
    number = torch.arange(len(x), device=points.device)
    index[y, x] = number if features.real is None else torch.where(features.real, number, -1)
    x, y = (points / FINE_STRIDE).long().T
    return index[y, x]
