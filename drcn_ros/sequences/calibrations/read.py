# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a camera from a calibration file, whichever program wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from drcn_ros.conversion.calibration import Calibration, with_remarks
from drcn_ros.errors import ConfigurationError, InputError
from drcn_ros.geometry.camera import Distortion
from drcn_ros.sequences.calibrations import basalt, colmap, kalibr, matrices, short_form, slam_settings
from drcn_ros.sequences.calibrations.documents import parse_xml, parse_yaml, read_text
from drcn_ros.sequences.calibrations.entries import Content, Entry, Images, MissingSizeError

_FORMS = (basalt, matrices, kalibr, slam_settings, short_form)
_EXAMPLE = "write width, height, fx, fy, cx, cy, and for a lens distortion_model and distortion: [...]"
# What else is called a calibration, by a name that only it has.
_IMU = "a calibration of an IMU; give the one of the camera"
_OTHERS = {
    "relative_config_imucam": "OpenVINS's settings; give the file that relative_config_imucam names",
    "accelerometer_noise_density": _IMU,
    "gyroscope_noise_density": _IMU,
}
# Under which names the readers look for the size of images.
_WIDTHS, _HEIGHTS = ("image_width", "Camera.width", "width"), ("image_height", "Camera.height", "height")


def read_calibration(path: str | Path, images: Images | None = None) -> Calibration:
    """Read a camera from a file.

    Args:
        path: the file; one of several cameras may be named behind a colon, as in `camchain.yaml:cam1`.
        images: that it is for.

    Raises:
        InputError: the file is missing or no calibration, a value is none that a camera has, or several
            cameras are possible.
    """
    file, chosen = _split(Path(path))
    images = images or Images()
    text = read_text(file)
    try:
        content = _content(text, file)
        if content is None:
            return with_remarks(_choose(colmap.entries(text), chosen, images.names, file).read())
        if matrices.is_message(content):
            return matrices.from_message(content, images.rectified)
        return _read(content, chosen, images, file)
    except ConfigurationError as error:
        msg = f"calibration {file}: {error}"
        raise InputError(msg) from None


def _read(content: Content, chosen: str, images: Images, file: Path) -> Calibration:
    remarks = []
    rectified = matrices.rectified_entry(content) if images.rectified else None
    try:
        entry = rectified or _choose(_entries(content), chosen, images.names, file)
        camera = entry.read()
    except MissingSizeError:
        if images.size is None:
            raise
        width, height = images.size()
        remarks.append(f"{file.name} names no image size; {width}x{height} is that of the images")
        completed = {**dict.fromkeys(_WIDTHS, width), **dict.fromkeys(_HEIGHTS, height), **content}
        found = _read(completed, chosen, replace(images, size=None), file)
        return Calibration(found.camera, (*remarks, *found.remarks))
    if images.rectified and rectified is None and camera.distortion is not Distortion.NONE:
        remarks.append(
            f"the images are rectified, and {file.name} has a lens distortion and no projection "
            "matrix: it is used as it is; if they are not rectified, set rectified to false"
        )
    return with_remarks(camera, remarks)


def _split(path: Path) -> tuple[Path, str]:
    name, colon, chosen = path.name.rpartition(":")
    if not colon or path.exists():
        return path, ""
    return path.with_name(name), chosen


def _content(text: str, file: Path) -> Content | None:
    """Return names and values, None of a file that has none of the kind."""
    if colmap.recognises(text):
        return None
    if text.lstrip().startswith("<"):
        return parse_xml(text, file)
    if "# oST version" in text or text.lstrip().startswith("[image]"):
        msg = "an INI file is not read; convert it: rosrun camera_calibration_parsers convert IN.ini OUT.yaml"
        raise ConfigurationError(msg)
    return parse_yaml(text, file)


def _entries(content: Content) -> list[Entry]:
    for form in _FORMS:
        if form.recognises(content):
            found: list[Entry] = form.entries(content)
            return found
    other = next((meaning for name, meaning in _OTHERS.items() if name in content), "")
    if other:
        raise ConfigurationError(f"this is {other}")
    if any(name in content for name in ("width", "height", "fy", "cx", "cy")):
        return short_form.entries(content)
    known = ", ".join(form.NAME for form in (*_FORMS, colmap))
    msg = f"holds no camera that is known ({known}); {_EXAMPLE}"
    raise ConfigurationError(msg)


def _choose(found: list[Entry], chosen: str, wanted: Sequence[str], file: Path) -> Entry:
    if chosen:
        fitting = [entry for entry in found if chosen in (entry.name, entry.topic, entry.topic.lstrip("/"))]
    else:
        topics = {name.strip("/") for name in wanted if name}
        fitting = [entry for entry in found if topics & {entry.name, entry.topic.strip("/")}]
        fitting = fitting or found
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(entry.name + (f" ({entry.topic})" if entry.topic else "") for entry in found)
    if not found:
        msg = "holds no camera"
    elif chosen and not fitting:
        msg = f"holds no camera {chosen!r}; it has {names}"
    else:
        msg = f"holds several cameras, {names}; choose one, as in --camera {file}:{found[0].name}"
    raise ConfigurationError(msg)
