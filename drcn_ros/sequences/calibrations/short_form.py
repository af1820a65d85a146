# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Our own short form: width, height, fx, fy, cx, cy, distortion_model, distortion."""

from __future__ import annotations

import yaml

from drcn_ros.conversion.calibration import camera_from_values
from drcn_ros.geometry.camera import Camera
from drcn_ros.sequences.calibrations.entries import Content, Entry, MissingSizeError, listed, required, text

NAME = "the short form"


def recognises(content: Content) -> bool:
    """Whether the content has a focal length by its plain name."""
    return "fx" in content


def entries(content: Content) -> list[Entry]:
    """Return the one camera of the file."""
    return [Entry("", "", lambda: _camera(content))]


def _camera(content: Content) -> Camera:
    if "width" not in content and "height" not in content:
        msg = "'width' is missing: add width and height of the images"
        raise MissingSizeError(msg)
    return camera_from_values(
        (required(content, "width"), required(content, "height")),
        [required(content, name) for name in ("fx", "fy", "cx", "cy")],
        text(content.get("distortion_model"), "distortion_model"),
        listed(content.get("distortion") or [], "distortion"),
        content.get("skew", 0.0),
    )


def calibration_text(camera: Camera) -> str:
    """Return the short form of a camera as YAML."""
    content = {
        "width": camera.width,
        "height": camera.height,
        "fx": camera.fx,
        "fy": camera.fy,
        "cx": camera.cx,
        "cy": camera.cy,
        **({"skew": camera.skew} if camera.skew else {}),
        "distortion_model": camera.distortion.value,
        "distortion": list(camera.coefficients),
    }
    written: str = yaml.safe_dump(content, sort_keys=False)
    return written
