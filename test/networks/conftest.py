# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Reference numbers, and weights made by the formula that they were computed with."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray]
SyntheticState = Callable[[str, Mapping[str, tuple[int, ...]]], dict[str, torch.Tensor]]


@pytest.fixture(scope="session")
def golden(shared: Path) -> Callable[[str], Arrays]:
    """Gives the reference file of a name as arrays."""

    def load(name: str) -> Arrays:
        with np.load(shared / "golden" / f"{name}.npz") as file:
            return {key: file[key] for key in file.files}

    return load


@pytest.fixture(scope="session")
def synthetic_state(golden: Callable[[str], Arrays]) -> SyntheticState:
    """Gives the tensors of a published checkpoint by the names in it, a calibration file over a formula."""

    def make(calibration: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
        measured = golden(calibration)
        return {
            name: torch.from_numpy(
                measured[name].astype(np.float32) if name in measured else _synthetic(name, shape)
            )
            for name, shape in shapes.items()
        }

    return make


def _synthetic(name: str, shape: tuple[int, ...]) -> NDArray:
    uniform = np.random.RandomState(zlib.crc32(name.encode())).random_sample(shape)
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("running_mean"):
        values = 0.1 * (2 * uniform - 1)
    elif name.endswith("running_var"):
        values = 0.5 + uniform
    elif len(shape) == 6:
        values = (uniform - 0.3) * (6.0 / (shape[2] * shape[0] ** 4))
    elif len(shape) == 4:
        values = (2 * uniform - 1) * np.sqrt(6.0 / (shape[1] * shape[2] * shape[3]))
    elif name.endswith(".weight"):
        values = (0.3 if name.endswith("bn3.weight") else 1.0) * (0.5 + uniform)
    else:
        values = 0.05 * (2 * uniform - 1)
    return np.asarray(values, np.float32)
