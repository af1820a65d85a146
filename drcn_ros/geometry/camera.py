# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera models: from pixels to normalised image coordinates and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np

from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.types import Array


class Distortion(Enum):
    """Lens models; the values are ROS's names."""

    NONE = "none"
    PLUMB_BOB = "plumb_bob"
    RATIONAL_POLYNOMIAL = "rational_polynomial"
    EQUIDISTANT = "equidistant"


@dataclass(frozen=True)
class Camera:
    """A calibrated camera.

    Attributes:
        width, height: image size, pixels.
        fx, fy, cx, cy: focal lengths and principal point, pixels; the top-left pixel's centre is (0, 0).
        distortion: lens model.
        coefficients: of the lens model, in OpenCV's order.

    Raises:
        ConfigurationError: sizes or focal lengths are not positive, or a number is not finite.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: Distortion = Distortion.NONE
    coefficients: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        numbers = (self.fx, self.fy, self.cx, self.cy, *self.coefficients)
        if not np.isfinite(numbers).all() or min(self.width, self.height, self.fx, self.fy) <= 0:
            msg = f"camera {self.width}x{self.height} with fx {self.fx}, fy {self.fy}, cx {self.cx}, "
            msg += f"cy {self.cy}, coefficients {self.coefficients}: sizes and focal lengths must be positive"
            raise ConfigurationError(msg)

    @property
    def matrix(self) -> Array:
        """The (3, 3) matrix K."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @property
    def mean_focal(self) -> float:
        """Mean of both focal lengths, pixels."""
        return 0.5 * (self.fx + self.fy)

    def scaled(self, width: int, height: int) -> Camera:
        """Return the camera of the image resized to `width` x `height`."""
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
        )

    def normalise(self, points: Array) -> Array:
        """Return undistorted normalised coordinates (N, 2) of pixels (N, 2), NaN where there is none."""
        points = np.asarray(points, np.float64).reshape(-1, 1, 2)
        if len(points) == 0:
            return np.zeros((0, 2))
        coefficients = np.array(self.coefficients, np.float64)
        if self.distortion is Distortion.EQUIDISTANT:
            rays = cv2.fisheye.undistortPoints(points, self.matrix, coefficients)
        else:
            rays = cv2.undistortPoints(points, self.matrix, coefficients if len(coefficients) else None)
        return np.asarray(rays, np.float64).reshape(-1, 2)
