# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of SLAM programs: ORB-SLAM (Camera.fx, Camera1.fx), stella_vslam, VINS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drcn_ros.conversion.calibration import camera_from_values
from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences.calibrations.entries import Content, Entry, MissingSizeError, mapping, required, text

NAME = "settings of ORB-SLAM, stella_vslam, VINS"

_FAMILIES = ("Camera", "Camera1", "Camera2")
_WIDTH, _HEIGHT = ("Camera.width", "Camera.cols"), ("Camera.height", "Camera.rows")
_EQUIDISTANT = ("kannalabrandt8", "fisheye")
_PLAIN = ("rectified",)


def recognises(content: Content) -> bool:
    """Whether a focal length stands under the name of a camera, or VINS's projection parameters are there."""
    flat = _flat(content)
    return any(f"{family}.fx" in flat for family in _FAMILIES) or "projection_parameters" in content


def entries(content: Content) -> list[Entry]:
    """Return the cameras of the file."""
    if "projection_parameters" in content:
        return [Entry("", "", lambda: _vins(content))]
    flat = _flat(content)
    return [
        Entry(family, "", lambda family=family: _orb_slam(flat, family))  # type: ignore[misc]
        for family in _FAMILIES
        if f"{family}.fx" in flat
    ]


def _flat(content: Content) -> dict[str, Any]:
    """Return the content with nested names joined by points."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping) and name in _FAMILIES:
            flat.update({f"{name}.{inner}": entry for inner, entry in value.items()})
        else:
            flat[name] = value
    return flat


def _orb_slam(flat: Content, family: str) -> Camera:
    kind = text(flat.get("Camera.type", flat.get("Camera.model")), "Camera.type").lower()
    if kind == "equirectangular":
        msg = f"Camera.type {kind} is not supported; known are PinHole, Rectified and KannalaBrandt8"
        raise ConfigurationError(msg)
    size = [_first(flat, names) for names in (_WIDTH, _HEIGHT)]
    intrinsics = [required(flat, f"{family}.{name}") for name in ("fx", "fy", "cx", "cy")]
    if kind in _EQUIDISTANT:
        coefficients = [required(flat, f"{family}.k{index}") for index in range(1, 5)]
        return camera_from_values((size[0], size[1]), intrinsics, "equidistant", coefficients)
    coefficients = [flat.get(f"{family}.{name}", 0.0) for name in ("k1", "k2", "p1", "p2", "k3")]
    model = "none" if kind in _PLAIN else "plumb_bob"
    return camera_from_values((size[0], size[1]), intrinsics, model, [] if model == "none" else coefficients)


def _first(flat: Content, names: tuple[str, ...]) -> Any:
    found = next((flat[name] for name in names if flat.get(name) is not None), None)
    if found is None:
        msg = f"'{names[0]}' is missing: add Camera.width and Camera.height of the images"
        raise MissingSizeError(msg)
    return found


def _vins(content: Content) -> Camera:
    model = text(required(content, "model_type"), "model_type").upper()
    projection = mapping(content["projection_parameters"], "projection_parameters")
    size = required(content, "image_width"), required(content, "image_height")
    if model == "KANNALA_BRANDT":
        names = ("mu", "mv", "u0", "v0"), ("k2", "k3", "k4", "k5")
        intrinsics, coefficients = ([required(projection, name) for name in group] for group in names)
        return camera_from_values(size, intrinsics, "equidistant", coefficients)
    distortion = mapping(content.get("distortion_parameters") or {}, "distortion_parameters")
    coefficients = [distortion.get(name, 0.0) for name in ("k1", "k2", "p1", "p2")]
    if model == "MEI":
        mirror = mapping(required(content, "mirror_parameters"), "mirror_parameters")
        intrinsics = [required(projection, name) for name in ("gamma1", "gamma2", "u0", "v0")]
        return camera_from_values(size, intrinsics, "omni", [required(mirror, "xi"), *coefficients])
    if model != "PINHOLE":
        msg = f"model_type {model} is not supported; known are PINHOLE, MEI and KANNALA_BRANDT"
        raise ConfigurationError(msg)
    intrinsics = [required(projection, name) for name in ("fx", "fy", "cx", "cy")]
    return camera_from_values(size, intrinsics, "plumb_bob", coefficients)
