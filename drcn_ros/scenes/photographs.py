# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Photographs that lie inside the scikit-image package, the raw material of all textures."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import MissingDependencyError
from drcn_ros.foreign.images import decode_image

Image = NDArray[np.uint8]

# Rich in detail at every scale, and part of every scikit-image wheel.
PICTURES = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "motorcycle_left.png",
    "rocket.jpg",
    "text.png",
)


def folder() -> Path:
    """Return where the photographs lie.

    Raises:
        MissingDependencyError: scikit-image is not installed.
    """
    # Only the folder is needed: importing the package would cost a second and its dependencies.
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        msg = "the textures of the rendered scenes come with scikit-image: pip install scikit-image"
        raise MissingDependencyError(msg)
    return Path(spec.submodule_search_locations[0]) / "data"


@lru_cache(maxsize=32)
def photograph(name: str) -> Image:
    """Return a photograph by its file name as (H, W, 3) RGB, read-only.

    Raises:
        MissingDependencyError: scikit-image is not installed or has no such photograph.
    """
    path = folder() / name
    if not path.is_file():
        msg = f"photograph {path} is missing: pip install --force-reinstall scikit-image"
        raise MissingDependencyError(msg)
    image = decode_image(path.read_bytes())
    if image.ndim == 2:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)
    image.setflags(write=False)
    return image
