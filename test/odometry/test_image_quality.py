# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np

from drcn_ros.odometry.image_quality import ImageQuality


def textured() -> np.ndarray:
    noise = np.random.default_rng(0).integers(40, 200, (240, 320)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (5, 5), 0)


def test_a_good_image_has_no_problem():
    quality = ImageQuality.of(textured())
    assert quality.problem(None) == ""
    assert quality.problem(quality) == ""


def test_dark_overexposed_and_blurred_images_are_named():
    good = ImageQuality.of(textured())
    assert "dark" in ImageQuality.of((textured() * 0.05).astype(np.uint8)).problem(good)
    assert "exposed" in ImageQuality.of(np.full((240, 320, 3), 255, np.uint8)).problem(good)
    assert "blurred" in ImageQuality.of(cv2.GaussianBlur(textured(), (31, 31), 0)).problem(good)


def test_an_image_of_one_pixel_is_judged():
    assert "dark" in ImageQuality.of(np.zeros((1, 1), np.uint8)).problem(None)
