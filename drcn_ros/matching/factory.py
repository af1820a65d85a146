# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a configuration to a matcher."""

from __future__ import annotations

import importlib
from typing import Any

from drcn_ros.matching.base import Matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.reduced import SizeLimit

# Module and class of each matcher; only the one that was asked for is imported.
_CLASSES = {
    "d2net": ("drcn_ros.matching.d2net", "D2NetMatcher"),
    "drcn": ("drcn_ros.matching.drcn", "DrcnMatcher"),
    "anchored": ("drcn_ros.matching.anchored", "AnchoredMatcher"),
    "sift": ("drcn_ros.matching.classical", "SiftMatcher"),
    "orb": ("drcn_ros.matching.classical", "OrbMatcher"),
}


def create_matcher(config: MatcherConfig) -> Matcher[Any]:
    """Return the matcher that `config.name` names, its weights loaded, on its device.

    Raises:
        ConfigurationError: the device is not there.
        WeightsError: the weight file is missing, damaged or made for another method.
    """
    module, name = _CLASSES[config.name]
    matcher: Matcher[Any] = getattr(importlib.import_module(module), name)(config)
    return SizeLimit(matcher) if config.max_image_size else matcher
