# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Refined matches are not off to one side."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drcn_ros.matching import create_matcher
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.scenes.photographs import photograph

# Images are taken from an enlarged photograph, so that any warp of them is known exactly.
_FINER = 4
_SIZE = (400, 320)
_MARGIN = 50
_TO_FINER = np.array([[_FINER, 0, (_FINER - 1) / 2], [0, _FINER, (_FINER - 1) / 2], [0, 0, 1]])


def _shift(x, y):
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _turn(degrees):
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    rotation = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return _shift(200, 160) @ rotation @ _shift(-200, -160)


def _view(warp, seed):
    """Return the photograph as seen after a warp of the image, with noise."""
    grey = cv2.cvtColor(photograph("astronaut.png"), cv2.COLOR_RGB2GRAY)
    fine = cv2.resize(grey, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    change = _TO_FINER @ warp @ np.linalg.inv(_TO_FINER) @ _shift(-_MARGIN * _FINER, -_MARGIN * _FINER)
    size = (_SIZE[0] * _FINER, _SIZE[1] * _FINER)
    seen = cv2.warpPerspective(fine, change, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    small = cv2.resize(seen, _SIZE, interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(seed).normal(0, 1.5, small.shape)
    return np.clip(np.round(small + noise), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", ["drcn", "d2net", "anchored"])
@pytest.mark.parametrize("warp", [_shift(6, -3), _shift(2.5, -1.75), _turn(15), _turn(-10)])
def test_refined_matches_have_no_common_offset(name, warp, device):
    matcher = create_matcher(MatcherConfig(name=name, device=device))
    matches = matcher.match(matcher.extract(_view(np.eye(3), 1)), matcher.extract(_view(warp, 2)))
    expected = matches.reference_points @ warp[:2, :2].T + warp[:2, 2]
    error = matches.current_points - expected
    error = error[np.abs(error).max(axis=1) < 2]
    assert len(error) > 200
    assert np.abs(error.mean(axis=0)).max() < 0.05
