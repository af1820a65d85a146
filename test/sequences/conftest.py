# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that an input gives back the clip from which it was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from drcn_ros.sequences import ImageSequence

Check = Callable[..., None]


@pytest.fixture
def assert_same(clip: Any) -> Check:
    def check(
        sequence: ImageSequence, count: int | None = None, truth: bool = True, camera: bool = True
    ) -> None:
        frames = list(sequence.frames())
        expected = len(clip) if count is None else count
        assert [frame.stamp_ns for frame in frames] == clip.stamps_ns[:expected]
        for frame, image in zip(frames, clip.images, strict=False):
            assert np.array_equal(frame.image, image)
        if camera:
            assert sequence.camera == clip.camera
        if truth:
            poses, known = sequence.ground_truth.at(clip.stamps_ns[:expected])
            assert known.all()
            assert np.abs(poses - clip.ground_truth.poses[:expected]).max() < 1e-12

    return check
