# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Views of photographs through random homographies, which are known exactly."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.errors import ImageError
from drcn_ros.foreign.images import decode_grey
from drcn_ros.geometry.types import Array

Image = NDArray[np.uint8]

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
# Views of one photograph.
VIEWS = 4
# Longer side of a view, and the shorter side below which a photograph is left out, pixels.
_LARGEST, _SMALLEST = 640, 240
# Rays per pixel along each axis.
_SUPERSAMPLING = 2
# Largest rotation in degrees, factor of scale, and shift of each corner as a share of the sides.
_TURN, _ZOOM, _SHIFT = 35.0, 1.6, 0.1


def photographs_in(folder: Path) -> list[Path]:
    """Return the photographs of a folder that are large enough, by name."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    return [file for file in files if _photograph(file) is not None]


def warped_view(file: Path, view: int) -> Image:
    """Return a view of a photograph; view 0 is the photograph itself, at most 640 pixels wide or high."""
    image = _photograph(file)
    assert image is not None
    if view == 0:
        return image
    height, width = image.shape
    # The centres of fine pixels lie between those of the view's own.
    fine = np.diag([_SUPERSAMPLING, _SUPERSAMPLING, 1.0])
    fine[:2, 2] = (_SUPERSAMPLING - 1) / 2
    size = (width * _SUPERSAMPLING, height * _SUPERSAMPLING)
    warped = cv2.warpPerspective(image, fine @ homography(file, view), size, flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(warped, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def homography(file: Path, view: int) -> Array:
    """Return the (3, 3) homography from the pixels of view 0 to those of another one."""
    image = _photograph(file)
    assert image is not None
    height, width = image.shape
    random = np.random.default_rng([*os.fsencode(file.name), view])
    angle = np.radians(random.uniform(-_TURN, _TURN))
    scale = np.exp(random.uniform(-1, 1) * np.log(_ZOOM))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    sides = np.array([width - 1.0, height - 1.0])
    corners = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]) * sides
    moved = (corners - sides / 2) @ turn.T + sides / 2 + random.uniform(-_SHIFT, _SHIFT, (4, 2)) * sides
    return np.asarray(
        cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32)), np.float64
    )


@lru_cache(maxsize=2)
def _photograph(file: Path) -> Image | None:
    try:
        image = decode_grey(file.read_bytes())
    except (OSError, ImageError):
        return None
    if min(image.shape) < _SMALLEST:
        return None
    factor = _LARGEST / max(image.shape)
    if factor < 1:
        resized = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        image = np.asarray(resized, np.uint8)
    return image
