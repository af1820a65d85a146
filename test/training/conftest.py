# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Photographs and configurations small enough for a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drcn_ros.training.config import TrainingConfig, make_config


def textured(height: int, width: int, seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """An image with detail at several scales."""
    random = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for cells in (6, 24, 96):
        noise = random.random((cells, cells)).astype(np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(total * 85, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def photographs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(4):
        assert cv2.imwrite(str(folder / f"{seed}.png"), textured(240, 320, seed))
    return folder


@pytest.fixture
def small_config(photographs_folder: Path, tmp_path: Path) -> Callable[..., TrainingConfig]:
    """Makes configurations of runs that take seconds; keyword arguments replace dots by two underscores."""

    def make(**values: object) -> TrainingConfig:
        named = {name.replace("__", "."): value for name, value in values.items()}
        return make_config(
            {
                "output": str(tmp_path / "run"),
                "photographs.folders": str(photographs_folder),
                "pairs.size": 64,
                "batch": 2,
                "loss.points": 64,
                "steps": 4,
                "log_every": 1,
                "device": "cpu",
                "optimiser.warm_up": 1,
                **named,
            }
        )

    return make
