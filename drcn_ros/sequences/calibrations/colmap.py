# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""COLMAP's cameras.txt: a line for each camera, CAMERA_ID MODEL WIDTH HEIGHT PARAMS."""

from __future__ import annotations

import re

from drcn_ros.conversion.calibration import camera_from_values
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences.calibrations.entries import Entry

NAME = "COLMAP's cameras.txt"

_LINE = re.compile(r"^\d+ +[A-Z_]{3,} +\S+ +\S+( +\S+)+\s*$", re.MULTILINE)
# Our name of each model, how many focal lengths it has, and the places of its parameters among our
# coefficients.
_MODELS: dict[str, tuple[str, int, tuple[int, ...]]] = {
    "SIMPLE_PINHOLE": ("none", 1, ()),
    "PINHOLE": ("none", 2, ()),
    "SIMPLE_RADIAL": ("plumb_bob", 1, (0,)),
    "RADIAL": ("plumb_bob", 1, (0, 1)),
    "OPENCV": ("plumb_bob", 2, (0, 1, 2, 3)),
    "FULL_OPENCV": ("rational_polynomial", 2, (0, 1, 2, 3, 4, 5, 6, 7)),
    "SIMPLE_RADIAL_FISHEYE": ("equidistant", 1, (0,)),
    "RADIAL_FISHEYE": ("equidistant", 1, (0, 1)),
    "OPENCV_FISHEYE": ("equidistant", 2, (0, 1, 2, 3)),
    "FOV": ("fov", 2, (0,)),
}
_COUNTS = {"none": 0, "plumb_bob": 4, "rational_polynomial": 8, "equidistant": 4, "fov": 1}


def recognises(text: str) -> bool:
    """Whether a text has a line of a camera."""
    return _LINE.search(text) is not None


def entries(text: str) -> list[Entry]:
    """Return the cameras, named by their numbers."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Entry(words[0], "", lambda words=words: _camera(words)) for words in lines]  # type: ignore[misc]


def _camera(words: list[str]) -> Camera:
    if len(words) < 2 or words[1] not in _MODELS:
        msg = f"camera model {words[1] if len(words) > 1 else ''!r} is not supported; known are "
        raise ConfigurationError(msg + ", ".join(_MODELS))
    model, focal, places = _MODELS[words[1]]
    parameters = words[4:]
    if len(parameters) != focal + 2 + len(places):
        msg = f"camera {words[0]}: {words[1]} takes {focal + 2 + len(places)} parameters; "
        raise ConfigurationError(msg + f"there are {len(parameters)}")
    intrinsics = [parameters[0], parameters[focal - 1], *parameters[focal : focal + 2]]
    coefficients: list[object] = [0.0] * _COUNTS[model]
    for place, value in zip(places, parameters[focal + 2 :], strict=True):
        coefficients[place] = value
    # COLMAP counts pixels from the corner of the first, we from its centre.
    return camera_from_values((words[2], words[3]), intrinsics, model, coefficients, half_pixel=True)
