# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One interface over all matchers: extract features of an image, match two of them."""

from drcn_ros.matching.base import Matcher
from drcn_ros.matching.config import MATCHERS, MatcherConfig
from drcn_ros.matching.factory import create_matcher
from drcn_ros.matching.types import Features, Keypoints, Matches

__all__ = ["MATCHERS", "Features", "Keypoints", "Matcher", "MatcherConfig", "Matches", "create_matcher"]
