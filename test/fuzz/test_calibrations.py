# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files with a value changed at random are refused in one line, or read as they say."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from drcn_ros.errors import InputError
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.sequences.calibrations import read_calibration

BASE = Camera(
    640, 480, 500.0, 510.0, 320.0, 240.0, Distortion.PLUMB_BOB, (0.1, -0.2, 0.001, 0.002, 0.05), 0.5
)
NUMBERS = ("width", "height", "fx", "fy", "cx", "cy", "skew", "k0", "k1", "k4")
COUNT = 200


def short_form(values: dict[str, Any]) -> dict[str, Any]:
    content = {name: values[name] for name in ("width", "height", "fx", "fy", "cx", "cy", "skew")}
    return {**content, "distortion_model": values["model"], "distortion": coefficients(values)}


def calibrator(values: dict[str, Any]) -> dict[str, Any]:
    matrix = [values["fx"], values["skew"], values["cx"], 0.0, values["fy"], values["cy"], 0.0, 0.0, 1.0]
    return {
        "image_width": values["width"], "image_height": values["height"], "camera_name": "front",
        "camera_matrix": {"rows": 3, "cols": 3, "data": matrix}, "distortion_model": values["model"],
        "distortion_coefficients": {"rows": 1, "cols": 5, "data": coefficients(values)},
    }  # fmt: skip


def camchain(values: dict[str, Any]) -> dict[str, Any]:
    return {"cam0": {
        "camera_model": "pinhole", "resolution": [values["width"], values["height"]],
        "intrinsics": [values[name] for name in ("fx", "fy", "cx", "cy")],
        "distortion_model": values["model"], "distortion_coeffs": coefficients(values), "rostopic": "/a",
    }}  # fmt: skip


def orb_slam(values: dict[str, Any]) -> dict[str, Any]:
    named = zip(("k1", "k2", "p1", "p2", "k3"), coefficients(values), strict=True)
    own = {**dict(named), **{name: values[name] for name in ("fx", "fy", "cx", "cy", "width", "height")}}
    return {"Camera.type": "PinHole", **{f"Camera.{name}": value for name, value in own.items()}}


def coefficients(values: dict[str, Any]) -> list[Any]:
    return [values.get(f"k{index}", value) for index, value in enumerate(BASE.coefficients)]


# What each form holds, besides the skew and the model that two of them do not have.
FORMS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], bool, bool]] = {
    "short form": (short_form, True, True),
    "calibrator": (calibrator, True, True),
    "camchain": (camchain, False, True),
    "ORB-SLAM": (orb_slam, False, False),
}


def changed(value: Any, rng: np.random.Generator) -> Any:
    """Return what a slip of a hand or of a program makes of a number."""
    slips = (
        None, True, False, "x", "", [], {}, [1, 2], "nan", math.nan, math.inf, -math.inf, 0, 1, -1, 1e-9, 1e9,
        -1e6, 10**400, -value, 1000 * value, value / 1000, 1.5 * value, value + 0.7, str(value), f"{value},",
    )  # fmt: skip
    return slips[int(rng.integers(len(slips)))]


def meant(name: str, value: Any) -> float | None:
    """Return the number that a value can mean for a camera of this size, or None."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    lowest, highest = {
        "width": (1, 100_000), "height": (1, 100_000), "fx": (32, 64_000), "fy": (32, 64_000),
        "cx": (-640, 1280), "cy": (-480, 960), "skew": (-125, 125),
    }.get(name, (-math.inf, math.inf))  # fmt: skip
    if not math.isfinite(number) or not lowest <= number <= highest:
        return None
    return None if name in ("width", "height") and number != int(number) else number


def expected(name: str, number: float) -> Camera:
    if name.startswith("k"):
        values = list(BASE.coefficients)
        values[int(name[1])] = number
        return replace(BASE, coefficients=tuple(values))
    return replace(BASE, **{name: type(getattr(BASE, name))(number)})


def test_no_changed_value_is_taken_for_another(tmp_path: Path) -> None:
    rng = np.random.default_rng(23)
    read = refused = 0
    for count in range(COUNT):
        form = list(FORMS)[count % len(FORMS)]
        make, has_skew, has_model = FORMS[form]
        base = BASE if has_skew else replace(BASE, skew=0.0)
        names = [name for name in NUMBERS if has_skew or name != "skew"] + (["model"] if has_model else [])
        name = names[int(rng.integers(len(names)))]
        values: dict[str, Any] = {field.name: getattr(BASE, field.name) for field in fields(BASE)}
        values |= {"model": "plumb_bob", **{f"k{i}": value for i, value in enumerate(BASE.coefficients)}}
        if name == "model":
            values[name] = ("equidistant", "odd", 3, None, True, "PLUMB_BOB", "")[int(rng.integers(7))]
            # Five coefficients are those of one model alone; the others do not take five.
            fitting = base if values[name] in (None, "PLUMB_BOB", "") else None
        else:
            values[name] = changed(values[name], rng)
            number = meant(name, values[name])
            fitting = None if number is None else replace(expected(name, number), skew=base.skew)
            if name == "skew" and number is not None:
                fitting = expected(name, number)
        file = tmp_path / f"{count}.yaml"
        file.write_text(yaml.safe_dump(make(values)))
        what = f"{form}, {name} = {values[name]!r:.60}"
        found = outcome(file)
        if isinstance(found, Camera):
            read += 1
            assert found == fitting, what
        else:
            refused += 1
            assert str(file) in found, what
            assert "\n" not in found, what
            # What lies within the limits of its own may still not fit the other values.
            assert fitting is None or far_from(fitting), f"{what}: {found}"
    assert read > 30
    assert refused > 60


def outcome(file: Path) -> Camera | str:
    """Return the camera of a file, or the line that refuses it."""
    try:
        return read_calibration(file).camera
    except InputError as error:
        return str(error)


def far_from(camera: Camera) -> bool:
    """Whether the values do not fit each other, though each alone could be."""
    longer = max(camera.width, camera.height)
    focal = (camera.fx, camera.fy)
    centre = ((camera.cx, camera.width), (camera.cy, camera.height))
    return (
        not all(0.05 * longer <= value <= 100.0 * longer for value in focal)
        or not 0.25 <= camera.fx / camera.fy <= 4.0
        or any(not -side <= value <= 2.0 * side for value, side in centre)
        or abs(camera.skew) > 0.25 * camera.fx
    )


@pytest.mark.parametrize("seed", range(4))
def test_changed_bytes_are_one_line_or_a_camera(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values: dict[str, Any] = {field.name: getattr(BASE, field.name) for field in fields(BASE)}
    text = yaml.safe_dump(list(FORMS.values())[seed][0]({**values, "model": "plumb_bob"})).encode()
    for _ in range(50):
        data = bytearray(text)
        for place in rng.integers(0, len(data), int(rng.integers(1, 4))):
            data[place] = int(rng.integers(256))
        file = tmp_path / "c.yaml"
        file.write_bytes(bytes(data[: int(rng.integers(len(data) // 2, len(data) + 1))]))
        found = outcome(file)
        assert isinstance(found, Camera) or "\n" not in found
