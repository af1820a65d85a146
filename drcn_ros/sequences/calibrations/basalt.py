# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Basalt's calibration: JSON with `value0`, lists of `intrinsics` and of `resolution`."""

from __future__ import annotations

from collections.abc import Mapping

from drcn_ros.conversion.calibration import camera_from_values
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences.calibrations.entries import Content, Entry, listed, mapping, required, text

NAME = "Basalt"

# Our name of each camera type, and the names of its coefficients.
_TYPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "pinhole": ("none", ()),
    "pinhole-radtan8": ("rational_polynomial", ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")),
    "kb4": ("equidistant", ("k1", "k2", "k3", "k4")),
    "ds": ("double_sphere", ("xi", "alpha")),
    "eucm": ("eucm", ("alpha", "beta")),
    "ucm": ("eucm", ("alpha",)),
    "fov": ("fov", ("w",)),
}


def recognises(content: Content) -> bool:
    """Whether the content is what Basalt writes."""
    value = content.get("value0")
    return isinstance(value, Mapping) and "intrinsics" in value


def entries(content: Content) -> list[Entry]:
    """Return the cameras of the file, named cam0, cam1 and so on.

    Raises:
        ConfigurationError: it does not give as many sizes as cameras.
    """
    value = mapping(content["value0"], "value0")
    cameras = listed(value["intrinsics"], "intrinsics")
    sizes = listed(required(value, "resolution"), "resolution", len(cameras))
    return [
        Entry(f"cam{index}", "", lambda camera=camera, size=size: _camera(camera, size))  # type: ignore[misc]
        for index, (camera, size) in enumerate(zip(cameras, sizes, strict=True))
    ]


def _camera(camera: object, size: object) -> Camera:
    content = mapping(camera, "intrinsics")
    kind = text(required(content, "camera_type"), "camera_type").lower()
    if kind not in _TYPES:
        msg = f"camera_type {kind!r} is unknown; known are {', '.join(_TYPES)}"
        raise ConfigurationError(msg)
    model, names = _TYPES[kind]
    values = mapping(required(content, "intrinsics"), "intrinsics")
    coefficients = [required(values, name) for name in names]
    if kind == "ucm":
        coefficients.append(1.0)
    width, height = listed(size, "resolution", 2)
    focal = [required(values, name) for name in ("fx", "fy", "cx", "cy")]
    return camera_from_values((width, height), focal, model, coefficients)
