# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What is judged: the matchers, DRCN without its consensus, and others' methods if they are installed."""

from __future__ import annotations

from typing import Any

import torch

from drcn_ros.benchmarks.accuracy.aliked import ALIKED_LIGHTGLUE, AlikedLightGlueMatcher
from drcn_ros.benchmarks.accuracy.xfeat import (
    XFEAT,
    XFEAT_LIGHTERGLUE,
    XFeatLighterGlueMatcher,
    XFeatMatcher,
)
from drcn_ros.errors import ConfigurationError
from drcn_ros.matching import create_matcher
from drcn_ros.matching.base import Matcher
from drcn_ros.matching.config import MATCHERS, MatcherConfig
from drcn_ros.matching.drcn import DrcnMatcher
from drcn_ros.networks.compact import CompactNetwork

WITHOUT_CONSENSUS = "drcn-without-consensus"
# Methods of others, whose packages are optional.
PUBLISHED = (XFEAT, XFEAT_LIGHTERGLUE, ALIKED_LIGHTGLUE)
YARDSTICKS = (WITHOUT_CONSENSUS, *PUBLISHED)
NAMES = (*MATCHERS, *YARDSTICKS)


def create_judged(name: str, config: MatcherConfig) -> Matcher[Any]:
    """Return a matcher or a yardstick by its name; `config` gives all but the name.

    Raises:
        ConfigurationError: the device is not there, or the weights have no consensus to leave out.
        MissingDependencyError: the yardstick's package is not installed, or is broken.
        WeightsError: the weight file is unusable.
    """
    kinds: dict[str, type[Matcher[Any]]] = {
        WITHOUT_CONSENSUS: WithoutConsensus,
        XFEAT: XFeatMatcher,
        XFEAT_LIGHTERGLUE: XFeatLighterGlueMatcher,
        ALIKED_LIGHTGLUE: AlikedLightGlueMatcher,
    }
    return kinds[name](config) if name in kinds else create_matcher(config)


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
