# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files: the short form `fx: ...`, ROS camera_calibration's YAML, and EuRoC's sensor.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from drcn_ros.errors import ConfigurationError, InputError
from drcn_ros.geometry.camera import Camera, Distortion

_MODELS = {
    "none": Distortion.NONE,
    "plumb_bob": Distortion.PLUMB_BOB,
    "radtan": Distortion.PLUMB_BOB,
    "radial-tangential": Distortion.PLUMB_BOB,
    "rational_polynomial": Distortion.RATIONAL_POLYNOMIAL,
    "equidistant": Distortion.EQUIDISTANT,
    "fisheye": Distortion.EQUIDISTANT,
    "kannala_brandt4": Distortion.EQUIDISTANT,
}
_SHORT_FORM = "need width, height, fx, fy, cx, cy, and for a lens distortion: [k1, k2, p1, p2, k3] with "
_SHORT_FORM += "distortion_model: plumb_bob, rational_polynomial or equidistant"


def read_calibration(path: Path) -> Camera:
    """Read a camera from a YAML file.

    Raises:
        InputError: the file is missing or no calibration.
    """
    content = read_yaml(path)
    try:
        if "camera_matrix" in content:
            return _ros_form(content)
        if "intrinsics" in content:
            return _euroc_form(content)
        return _short_form(content)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        msg = f"calibration {path}: {what}; {_SHORT_FORM}"
        raise InputError(msg) from None
    except ConfigurationError as error:
        msg = f"calibration {path}: {error}"
        raise InputError(msg) from None


def read_yaml(path: Path) -> Mapping[str, Any]:
    """Read a YAML file that holds names and values.

    Raises:
        InputError: the file is missing or no such YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        # OpenCV's files begin with a line that YAML readers refuse.
        content = yaml.safe_load(text.replace("%YAML:1.0", ""))
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise InputError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        msg = f"{path} is no YAML: {str(error).splitlines()[0]}"
        raise InputError(msg) from None
    if not isinstance(content, dict):
        msg = f"{path}: names with values were expected"
        raise InputError(msg)
    return content


def calibration_text(camera: Camera) -> str:
    """Return the short form of a camera as YAML."""
    content = {
        "width": camera.width,
        "height": camera.height,
        "fx": camera.fx,
        "fy": camera.fy,
        "cx": camera.cx,
        "cy": camera.cy,
        "distortion_model": camera.distortion.value,
        "distortion": list(camera.coefficients),
    }
    text: str = yaml.safe_dump(content, sort_keys=False)
    return text


def _short_form(content: Mapping[str, Any]) -> Camera:
    return _camera(
        (content["width"], content["height"]),
        [content[name] for name in ("fx", "fy", "cx", "cy")],
        content.get("distortion_model", "plumb_bob"),
        content.get("distortion") or [],
    )


def _ros_form(content: Mapping[str, Any]) -> Camera:
    matrix = content["camera_matrix"]["data"]
    return _camera(
        (content["image_width"], content["image_height"]),
        [matrix[0], matrix[4], matrix[2], matrix[5]],
        content.get("distortion_model", "plumb_bob"),
        (content.get("distortion_coefficients") or {}).get("data", []),
    )


def _euroc_form(content: Mapping[str, Any]) -> Camera:
    fx, fy, cx, cy = content["intrinsics"]
    model, coefficients = content.get("distortion_model", "none"), content.get("distortion_coefficients", [])
    return _camera(tuple(content["resolution"]), [fx, fy, cx, cy], model, coefficients)


def _camera(size: tuple[Any, ...], intrinsics: list[Any], model: str, coefficients: list[Any]) -> Camera:
    if model not in _MODELS:
        msg = f"lens model {model!r} is unknown, choose one of {', '.join(_MODELS)}"
        raise ValueError(msg)
    lens, numbers = _MODELS[model], tuple(float(value) for value in coefficients)
    if not any(numbers) and lens is not Distortion.EQUIDISTANT:
        lens, numbers = Distortion.NONE, ()
    fx, fy, cx, cy = (float(value) for value in intrinsics)
    return Camera(int(size[0]), int(size[1]), fx, fy, cx, cy, lens, numbers)
