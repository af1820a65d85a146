# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Of a keyframe that is not matched any more only what the search for landmarks needs stays in memory."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drcn_ros.matching import create_matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.odometry import Frame, OdometryConfig, State, VisualOdometry
from drcn_ros.odometry.map_data import MapData
from drcn_ros.odometry.view import View


@pytest.fixture(scope="module")
def image():
    noise = np.random.default_rng(0).integers(0, 256, (120, 160), np.uint8)
    return cv2.GaussianBlur(cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC), (0, 0), 1.0)


@pytest.mark.parametrize("name", ["drcn", "sift"])
def test_old_keyframes_keep_their_patches_alone(image, name):
    features = create_matcher(MatcherConfig(name=name, device="cpu")).extract(image)
    data = MapData()
    for stamp in range(10):
        data.insert(View(stamp, features, features.keypoints().points, np.eye(4)), np.eye(4))
    data.forget(20)
    # Those of a matcher that keeps no images stay as they are.
    old = [not keyframe.view.features.matchable for keyframe in data.keyframes.values()]
    assert old == [name == "drcn"] * 2 + [False] * 8
    data.forget(20)
    assert len(data.keyframes) == 10


def test_a_reference_that_cannot_be_matched_any_more_is_no_error(image):
    odometry = VisualOdometry(OdometryConfig(matcher=MatcherConfig(device="cpu")))
    odometry.process(Frame(0, image))
    reference = odometry._references.reference
    reference.features = reference.features.for_search()
    result = odometry.process(Frame(50_000_000, image))
    assert result.state is State.WAITING_FOR_CALIBRATION
    assert len(result.matches) == 0
    assert len(odometry.process(Frame(100_000_000, image)).matches) > 20
