# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files with a camera matrix: ROS's calibrator, OpenCV's FileStorage, and a printed `CameraInfo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from drcn_ros.conversion.calibration import MODELS, Calibration, camera_from_matrix, number
from drcn_ros.conversion.camera_info import calibration_from_message
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences.calibrations.entries import (
    Content,
    Entry,
    MissingSizeError,
    listed,
    mapping,
    required,
    text,
)

NAME = "a camera matrix (ROS's calibrator, OpenCV's FileStorage)"

# What programs call the matrix, the coefficients and the size, in lower case without underscores.
_MATRIX = ("cameramatrix", "k", "m", "intrinsicmatrix")
_COEFFICIENTS = ("distortioncoefficients", "distcoeffs", "distortion", "d")
_WIDTH, _HEIGHT, _SIZE = (
    ("imagewidth", "width"),
    ("imageheight", "height"),
    ("imagesize", "size", "resolution"),
)
# The cameras of a stereo pair have a number behind the name.
_NUMBERS = ("", "0", "1", "2")
_MODEL_NAMES = ("distortion_model", "camera_model", "model")


def recognises(content: Content) -> bool:
    """Whether there is a camera matrix under one of its names."""
    return bool(_numbers_present(_plain(content)))


def entries(content: Content) -> list[Entry]:
    """Return the cameras of the file: one, or those of a stereo pair named by their numbers."""
    plain = _plain(content)
    return [
        Entry(suffix, "", lambda suffix=suffix: _camera(content, plain, suffix))  # type: ignore[misc]
        for suffix in _numbers_present(plain)
    ]


def rectified_entry(content: Content) -> Entry | None:
    """Return the camera of the rectified images, None where the file has no projection matrix."""
    plain = _plain(content)
    projection = plain.get("projectionmatrix")
    if projection is None:
        return None

    def read() -> Camera:
        values = _values(projection, "projection_matrix")
        if len(values) != 12:
            msg = f"projection_matrix has {len(values)} numbers; expected 12"
            raise ConfigurationError(msg)
        three = [*values[0:3], *values[4:7], *values[8:11]]
        return camera_from_matrix("projection_matrix", _size(plain), three, "none", [])

    return Entry("", "", read)


def is_message(content: Content) -> bool:
    """Whether the content is a `CameraInfo` as `ros2 topic echo` prints it."""
    return all(name in content for name in ("k", "d", "distortion_model", "p")) or all(
        name in content for name in ("K", "D", "distortion_model", "P")
    )


def from_message(content: Content, rectified: bool) -> Calibration:
    """Return the calibration of a printed `CameraInfo`.

    Raises:
        ConfigurationError: it is uncalibrated, or a value is none that a camera has.
    """
    lower = {name.lower(): value for name, value in content.items()}
    region = mapping(lower.get("roi") or {}, "roi")
    message = SimpleNamespace(
        width=required(lower, "width"),
        height=required(lower, "height"),
        distortion_model=text(lower["distortion_model"], "distortion_model"),
        d=listed(lower["d"] or [], "d"),
        k=listed(lower["k"], "k", 9),
        p=listed(lower["p"], "p", 12),
        binning_x=_count(lower, "binning_x"),
        binning_y=_count(lower, "binning_y"),
        roi=SimpleNamespace(
            **{name: _count(region, name) for name in ("x_offset", "y_offset", "width", "height")}
        ),
    )
    return calibration_from_message(message, rectified)


def _count(content: Content, name: str) -> int:
    value = number(name, content.get(name) or 0)
    if value != int(value) or value < 0:
        msg = f"{name} is {value:g}; expected a whole number, not below 0"
        raise ConfigurationError(msg)
    return int(value)


def _camera(content: Content, plain: Content, suffix: str) -> Camera:
    name, matrix = _find(plain, _MATRIX, suffix)
    _, coefficients = _find(plain, _COEFFICIENTS, suffix)
    values = _values(matrix, name)
    distortion = [] if coefficients is None else _values(coefficients, "distortion_coefficients")
    return camera_from_matrix(name, _size(plain), values, _model(content), distortion)


def _plain(content: Content) -> dict[str, Any]:
    return {name.lower().replace("_", "").replace("-", ""): value for name, value in content.items()}


def _numbers_present(plain: Content) -> list[str]:
    return [
        suffix for suffix in _NUMBERS if isinstance(_find(plain, _MATRIX, suffix)[1], (Mapping, Sequence))
    ]


def _find(plain: Content, names: tuple[str, ...], suffix: str) -> tuple[str, Any]:
    for name in names:
        if plain.get(name + suffix) is not None:
            return name + suffix, plain[name + suffix]
    return names[0] + suffix, None


def _size(plain: Content) -> tuple[Any, Any]:
    _, size = _find(plain, _SIZE, "")
    if size is not None:
        width, height = listed(size, "image_size", 2)
        return width, height
    found = [_find(plain, names, "")[1] for names in (_WIDTH, _HEIGHT)]
    for name, value in zip(("image_width", "image_height"), found, strict=True):
        if value is None:
            msg = f"'{name}' is missing: add image_width and image_height of the images"
            raise MissingSizeError(msg)
    return found[0], found[1]


def _model(content: Content) -> str:
    """Return the name of the lens model that the file gives, under any of the names for it."""
    if content.get("fisheye_model") in (1, 1.0, True):
        return "fisheye"
    named = [text(content.get(name), name) for name in _MODEL_NAMES]
    # A pinhole in front of any lens: that says nothing of the lens.
    told = [name for name in named if name and name.lower() not in ("pinhole", "perspective")]
    if len({MODELS.get(name.lower()) for name in told}) > 1:
        msg = f"the lens model is called {' and '.join(told)}; leave one"
        raise ConfigurationError(msg)
    return told[0] if told else ""


def _values(entry: Any, name: str) -> list[Any]:
    """Return the numbers of a matrix in any of the ways in which it is written."""
    if isinstance(entry, Mapping):
        data = list(listed(required(entry, "data", f"{name}."), f"{name}.data"))
        shape = [entry.get(side) for side in ("rows", "cols")]
        if None not in shape and number("rows", shape[0]) * number("cols", shape[1]) != len(data):
            msg = f"{name} has {len(data)} numbers; its rows and cols say {shape[0]} times {shape[1]}"
            raise ConfigurationError(msg)
        return data
    rows = listed(entry, name)
    if rows and all(isinstance(row, Sequence) and not isinstance(row, str) for row in rows):
        return [value for row in rows for value in row]
    return list(rows)
