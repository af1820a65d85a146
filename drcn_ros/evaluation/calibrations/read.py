# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a camera from a calibration file, whichever program wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from drcn_ros.conversion.calibration import Calibration, with_remarks
from drcn_ros.errors import ConfigurationError, InputError
from drcn_ros.evaluation.calibrations import basalt, colmap, kalibr, matrices, short_form, slam_settings
from drcn_ros.evaluation.calibrations.documents import parse_xml, parse_yaml, read_text
from drcn_ros.evaluation.calibrations.entries import Content, Entry

_FORMS = (basalt, matrices, kalibr, slam_settings, short_form)
_EXAMPLE = "write width, height, fx, fy, cx, cy, and for a lens distortion_model and distortion: [...]"
# What else is called a calibration, by a name that only it has.
_IMU = "a calibration of an IMU; give the one of the camera"
_OTHERS = {
    "relative_config_imucam": "OpenVINS's settings; give the file that relative_config_imucam names",
    "accelerometer_noise_density": _IMU,
    "gyroscope_noise_density": _IMU,
}


def read_calibration(path: str | Path, wanted: Sequence[str] = (), rectified: bool = False) -> Calibration:
    """Read a camera from a file.

    Args:
        path: the file; one of several cameras may be named behind a colon, as in `camchain.yaml:cam1`.
        wanted: names or topics of which one is that of the images; they choose where the path does not.
        rectified: whether the images are rectified, so that a projection matrix of the file is theirs.

    Raises:
        InputError: the file is missing or no calibration, a value is none that a camera has, or several
            cameras are possible.
    """
    file, chosen = _split(Path(path))
    text = read_text(file)
    try:
        content = _content(text, file)
        if content is not None and matrices.is_message(content):
            return matrices.from_message(content, rectified)
        if content is not None and rectified:
            entry = matrices.rectified_entry(content)
            if entry is not None:
                return with_remarks(entry.read())
        found = _entries(content, text)
        return with_remarks(_choose(found, chosen, wanted, file).read())
    except ConfigurationError as error:
        msg = f"calibration {file}: {error}"
        raise InputError(msg) from None


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


def _entries(content: Content | None, text: str) -> list[Entry]:
    if content is None:
        return colmap.entries(text)
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
