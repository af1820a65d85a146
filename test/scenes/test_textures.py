# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Textures are reproducible, fill the wanted size, and do not repeat."""

from __future__ import annotations

import cv2
import numpy as np

from drcn_ros.scenes.photographs import photograph
from drcn_ros.scenes.textures import hang, plaster, shade_edges

TINT = (180.0, 150.0, 120.0)


def test_the_seed_decides_the_surface():
    first, second, other = (plaster(300, 200, photo="gravel.png", tint=TINT, seed=seed) for seed in (1, 1, 2))
    assert first.shape == (200, 300, 3)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_no_patch_of_a_large_surface_appears_twice():
    surface = cv2.cvtColor(plaster(1600, 500, photo="gravel.png", tint=TINT, seed=3), cv2.COLOR_RGB2GRAY)
    patch = surface[200:264, 300:364]
    likeness = cv2.matchTemplate(surface, patch, cv2.TM_CCOEFF_NORMED)
    likeness[190:211, 290:311] = 0
    assert likeness.max() < 0.7


def test_a_hung_photograph_has_a_dark_frame_around_it():
    surface = np.full((200, 200, 3), 200, np.uint8)
    photo = photograph("coffee.png")
    hang(surface, photo, 50, 40, 90, frame=5)
    small = cv2.resize(photo, (90, 60), interpolation=cv2.INTER_AREA)
    assert np.array_equal(surface[40:100, 50:140], small)
    assert (surface[36:40, 45:145] == 50).all()
    assert (surface[:35] == 200).all()


def test_edges_are_darker_than_the_middle():
    shaded = shade_edges(np.full((100, 100, 3), 200, np.uint8), reach=10)
    assert shaded[50, 50, 0] > 195
    assert shaded[50, 0, 0] < 140
