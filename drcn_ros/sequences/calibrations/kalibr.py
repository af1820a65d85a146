# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Kalibr's camchain, as OpenVINS takes it too, and EuRoC's sensor.yaml: `intrinsics` and `resolution`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drcn_ros.conversion.calibration import camera_from_values
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences.calibrations.entries import Content, Entry, listed, mapping, required, text

NAME = "Kalibr's camchain, OpenVINS, EuRoC's sensor.yaml"

# How many numbers of each camera model come before the focal lengths, and what the lens model is called
# where there is no distortion behind it.
_MODELS = {"pinhole": (0, ""), "ds": (2, "double_sphere"), "eucm": (2, "eucm"), "omni": (1, "omni")}
_NO_DISTORTION = ("", "none")


def recognises(content: Content) -> bool:
    """Whether the content is a camera with `intrinsics`, or names such cameras."""
    return "intrinsics" in content or any(_is_camera(value) for value in content.values())


def entries(content: Content) -> list[Entry]:
    """Return the cameras of the file."""
    if "intrinsics" in content:
        return [Entry("", "", lambda: _camera(content))]
    return [
        Entry(name, str(value.get("rostopic") or ""), lambda value=value: _camera(value))  # type: ignore[misc]
        for name, value in content.items()
        if _is_camera(value)
    ]


def _is_camera(value: Any) -> bool:
    return isinstance(value, Mapping) and "intrinsics" in value


def _camera(value: Any) -> Camera:
    content = mapping(value, "the camera")
    size = listed(required(content, "resolution"), "resolution", 2)
    model = text(content.get("camera_model"), "camera_model").lower() or "pinhole"
    if model not in _MODELS:
        msg = f"camera_model {model!r} is unknown; known are {', '.join(_MODELS)}"
        raise ConfigurationError(msg)
    before, lens = _MODELS[model]
    numbers = listed(required(content, "intrinsics"), "intrinsics", before + 4)
    behind = text(content.get("distortion_model"), "distortion_model").lower()
    coefficients = content.get("distortion_coeffs", content.get("distortion_coefficients")) or []
    coefficients = list(listed(coefficients, "distortion_coeffs"))
    if model == "pinhole":
        lens = behind
    elif behind not in _NO_DISTORTION and not (model == "omni" and behind == "radtan"):
        msg = f"distortion_model {behind} behind camera_model {model} is not supported; "
        raise ConfigurationError(msg + "calibrate with pinhole-equi, pinhole-radtan, omni-radtan, ds or eucm")
    elif behind in _NO_DISTORTION:
        coefficients = []
    return camera_from_values((size[0], size[1]), numbers[before:], lens, [*numbers[:before], *coefficients])
