# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One rule for what a calibration may say, whether it comes from a topic, a bag or a file.

Readers hand over what they found as it is; each value is checked here, and what is refused is named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.camera import Camera, Distortion
from drcn_ros.geometry.lens import COEFFICIENTS
from drcn_ros.geometry.lens_end import lens_end

# What files and drivers call the lens models, in lower case.
MODELS = {
    **dict.fromkeys(("none", "pinhole", "perspective", "rectified"), Distortion.NONE),
    **dict.fromkeys(
        ("plumb_bob", "radtan", "radial-tangential", "radial_tangential", "brown_conrady", "brown-conrady"),
        Distortion.PLUMB_BOB,
    ),
    **dict.fromkeys(("rational_polynomial", "rational", "radtan8"), Distortion.RATIONAL_POLYNOMIAL),
    **dict.fromkeys(
        ("equidistant", "equi", "fisheye", "kb4", "kannala_brandt", "kannala_brandt4", "kannalabrandt8"),
        Distortion.EQUIDISTANT,
    ),
    **dict.fromkeys(("double_sphere", "ds"), Distortion.DOUBLE_SPHERE),
    **dict.fromkeys(("eucm",), Distortion.EUCM),
    **dict.fromkeys(("omni", "mei"), Distortion.OMNI),
    **dict.fromkeys(("fov", "atan"), Distortion.FOV),
}
# OpenCV tells its polynomial models apart by the number of coefficients alone, and so do we.
_POLYNOMIAL = {
    **dict.fromkeys((4, 5), Distortion.PLUMB_BOB),
    **dict.fromkeys((8, 12, 14), Distortion.RATIONAL_POLYNOMIAL),
}
# Beyond these a number is a mistake, not a camera: focal lengths by the longer side (168 and 0.6 degrees of
# view), their ratio, how far outside the image the principal point lies by its side, skew by focal length.
_SHORTEST, _LONGEST = 0.05, 100.0
_RATIO = 4.0
_OUTSIDE = 1.0
_SKEW = 0.25
_LARGEST_SIDE = 100_000
# What is left of a zero or a one when a matrix was computed.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Calibration:
    """A camera, and what a person should know about it.

    Attributes:
        camera: as it serves.
        remarks: sentences without a full stop.
    """

    camera: Camera
    remarks: tuple[str, ...] = ()


def number(name: str, value: Any) -> float:
    """Return a value as a number.

    Raises:
        ConfigurationError: it is none, or not finite.
    """
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        msg = f"{name} is {_shown(value)}; expected a finite number"
        raise ConfigurationError(msg)
    return found


def numbers(name: str, values: Any, counts: Sequence[int] = ()) -> list[float]:
    """Return a list of numbers, so many as one of `counts` says, or as there are.

    Raises:
        ConfigurationError: it is none, or has another length.
    """
    if isinstance(values, str) or not isinstance(values, Sequence):
        msg = f"{name} is {_shown(values)}; expected a list of numbers"
        raise ConfigurationError(msg)
    if counts and len(values) not in counts:
        msg = f"{name} has {len(values)} numbers; expected {' or '.join(map(str, counts))}"
        raise ConfigurationError(msg)
    return [number(f"{name}[{index}]", value) for index, value in enumerate(values)]


def pixels(name: str, value: Any) -> int:
    """Return a value as a number of pixels.

    Raises:
        ConfigurationError: it is no whole number above zero.
    """
    found = number(name, value)
    if found != int(found) or not 0 < found <= _LARGEST_SIDE:
        msg = f"{name} is {_shown(value)}; expected a whole number of pixels above 0"
        raise ConfigurationError(msg)
    return int(found)


def lens_of(model: str | None, coefficients: Sequence[float]) -> tuple[Distortion, tuple[float, ...]]:
    """Return lens model and coefficients.

    Args:
        model: as it was called; None or empty where it was not said.
        coefficients: of it. Zeros at the end that the model does not have are left out.

    Raises:
        ConfigurationError: the name is unknown, missing where it matters, or takes another number of
            coefficients.
    """
    name, given = (model or "").strip().lower(), tuple(coefficients)
    if name and name not in MODELS:
        msg = f"lens model {_shown(model)} is unknown; known are {', '.join(MODELS)}"
        raise ConfigurationError(msg)
    lens = MODELS[name] if name else _POLYNOMIAL.get(len(given), Distortion.PLUMB_BOB)
    polynomial = lens in _POLYNOMIAL.values()
    if not any(given) and (polynomial or lens is Distortion.NONE):
        return Distortion.NONE, ()
    if not name and len(given) == COEFFICIENTS[Distortion.EQUIDISTANT][-1]:
        msg = "4 distortion coefficients and no lens model; name it with distortion_model: plumb_bob or "
        msg += "distortion_model: equidistant (ROS's calibrator calls it fisheye)"
        raise ConfigurationError(msg)
    counts = tuple(_POLYNOMIAL) if polynomial else COEFFICIENTS[lens]
    while len(given) > counts[-1] and given[-1] == 0.0:
        given = given[:-1]
    if len(given) not in counts:
        expected = ", ".join(str(count) for count in counts if count or lens is Distortion.NONE)
        msg = f"{len(given)} distortion coefficients {list(given)} of lens model {name or 'plumb_bob'}; "
        raise ConfigurationError(msg + f"it takes {expected}")
    if lens is Distortion.EQUIDISTANT:
        # Without coefficients it still bends straight lines.
        return lens, given or (0.0,) * 4
    return (_POLYNOMIAL[len(given)] if polynomial else lens), given


def camera_from_values(
    size: tuple[Any, Any],
    intrinsics: Sequence[Any],
    model: str | None,
    coefficients: Sequence[Any],
    skew: Any = 0.0,
    half_pixel: bool = False,
) -> Camera:
    """Return the camera that values describe.

    Args:
        size: width and height, pixels.
        intrinsics: fx, fy, cx, cy, pixels.
        model: name of the lens model, None or empty where it was not said.
        coefficients: of the lens model.
        skew: K[0][1], pixels.
        half_pixel: whether the principal point is told from the corner of the first pixel, not its centre.

    Raises:
        ConfigurationError: a value is none that a camera has; the text names it.
    """
    width, height = pixels("width", size[0]), pixels("height", size[1])
    fx, fy, cx, cy = (
        number(name, value) for name, value in zip(("fx", "fy", "cx", "cy"), intrinsics, strict=True)
    )
    lean = number("skew", skew)
    longer = max(width, height)
    for name, focal in (("fx", fx), ("fy", fy)):
        _within(name, focal, _SHORTEST * longer, _LONGEST * longer, f"images of {width}x{height} pixels")
    _within("fx / fy", fx / fy, 1.0 / _RATIO, _RATIO, "a camera")
    for name, centre, side in (("cx", cx, width), ("cy", cy, height)):
        _within(name, centre, -_OUTSIDE * side, (1.0 + _OUTSIDE) * side, f"images of {width}x{height} pixels")
    _within("skew", lean, -_SKEW * fx, _SKEW * fx, f"fx {fx:g}")
    lens, values = lens_of(model, numbers("distortion", list(coefficients)))
    shift = 0.5 if half_pixel else 0.0
    return Camera(width, height, fx, fy, cx - shift, cy - shift, lens, values, lean)


def camera_from_matrix(
    name: str,
    size: tuple[Any, Any],
    matrix: Sequence[Any],
    model: str | None,
    coefficients: Sequence[Any],
) -> Camera:
    """Return the camera of a matrix [fx s cx; 0 fy cy; 0 0 1]; otherwise as `camera_from_values`.

    Args:
        name: of the matrix, as in "K".
        size: width and height, pixels.
        matrix: nine numbers, row by row.
        model: name of the lens model, None or empty where it was not said.
        coefficients: of the lens model.
    """
    values = numbers(name, list(matrix), (9,))
    for index, expected in ((3, 0.0), (6, 0.0), (7, 0.0), (8, 1.0)):
        if abs(values[index] - expected) > _ROUNDING:
            msg = f"{name}[{index}] is {values[index]:g}; expected {expected:g} of a camera matrix"
            raise ConfigurationError(msg)
    intrinsics = (values[0], values[4], values[2], values[5])
    return camera_from_values(size, intrinsics, model, coefficients, values[1])


def with_remarks(camera: Camera, remarks: Sequence[str] = ()) -> Calibration:
    """Return a camera with remarks, among them where its lens model ends inside the image."""
    end = lens_end(camera)
    if end is None:
        return Calibration(camera, tuple(remarks))
    text = f"lens model {camera.distortion.value} "
    if end.turns_back:
        text += f"with coefficients {_listed(camera.coefficients)} turns back {end.angle_deg:.1f} degrees"
    else:
        text += f"is used up to {end.angle_deg:.0f} degrees"
    text += f" from the axis, {end.radius_px:.0f} pixels from the principal point: {100 * end.lost:.0f} % of "
    text += "the image lie beyond and have no rays"
    return Calibration(camera, (*remarks, text))


def _within(name: str, value: float, low: float, high: float, of_what: str) -> None:
    if not low <= value <= high:
        msg = f"{name} is {value:g}; expected {low:g} to {high:g} for {of_what}"
        raise ConfigurationError(msg)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
