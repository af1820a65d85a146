# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Our keypoints and descriptors for RTAB-Map, whose PyDetector loads this file.

rtabmap --Kp/DetectorStrategy 15 --Vis/FeatureType 15 --PyDetector/Path .../config/rtabmap_detector.py
"""

import numpy as np

from drcn_ros.matching import MatcherConfig, create_matcher

_matcher = None


def init(cuda):
    """Load the network; called once."""
    global _matcher
    _matcher = create_matcher(MatcherConfig(name="d2net", device="cuda" if cuda else "cpu"))


def detect(image):
    """Return keypoints (N, 3) as x, y, score and descriptors (N, C) of a grey image (H, W), all float32."""
    keypoints = _matcher.extract(np.ascontiguousarray(image)).keypoints(with_descriptors=True)
    found = np.column_stack([keypoints.points, keypoints.scores]).astype(np.float32)
    return found, np.ascontiguousarray(keypoints.descriptors, np.float32)
