# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Camera models: from pixels to normalised image coordinates and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from drcn_ros.errors import ConfigurationError
from drcn_ros.geometry.lens import COEFFICIENTS, RANGES, Distortion, Lens
from drcn_ros.geometry.types import Array

__all__ = ["Camera", "Distortion"]


@dataclass(frozen=True)
class Camera:
    """A calibrated camera.

    Attributes:
        width, height: image size, pixels.
        fx, fy, cx, cy: focal lengths and principal point, pixels; the top-left pixel's centre is (0, 0).
        distortion: lens model.
        coefficients: of the lens model, in OpenCV's order.
        skew: K[0, 1], pixels.

    Raises:
        ConfigurationError: sizes or focal lengths are not positive, a number is not finite, or the lens model
            takes another number of coefficients or other values.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: Distortion = Distortion.NONE
    coefficients: tuple[float, ...] = ()
    skew: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.fx, self.fy, self.cx, self.cy, self.skew, *self.coefficients)
        if not np.isfinite(numbers).all() or min(self.width, self.height, self.fx, self.fy) <= 0:
            msg = f"camera {self.width}x{self.height} with fx {self.fx}, fy {self.fy}, cx {self.cx}, "
            msg += f"cy {self.cy}, coefficients {self.coefficients}: sizes and focal lengths must be positive"
            raise ConfigurationError(msg)
        if len(self.coefficients) not in COEFFICIENTS[self.distortion]:
            counts = ", ".join(map(str, COEFFICIENTS[self.distortion]))
            msg = (
                f"lens {self.distortion.value} with {len(self.coefficients)} coefficients; it takes {counts}"
            )
            raise ConfigurationError(msg)
        for (name, low, high), value in zip(RANGES.get(self.distortion, ()), self.coefficients, strict=False):
            if not low <= value <= high:
                msg = f"lens {self.distortion.value} with {name} {value:g}: must be {low:g} to {high:g}"
                raise ConfigurationError(msg)

    @property
    def matrix(self) -> Array:
        """The (3, 3) matrix K."""
        return np.array([[self.fx, self.skew, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

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
            skew=self.skew * sx,
        )

    def cropped(self, x: int, y: int, width: int, height: int) -> Camera:
        """Return the camera of the region of `width` x `height` whose top-left pixel is (x, y).

        Raises:
            ConfigurationError: the region reaches beyond the image.
        """
        if min(x, y) < 0 or min(width, height) < 1 or x + width > self.width or y + height > self.height:
            msg = f"region {width}x{height} at ({x}, {y}) reaches beyond the {self.width}x{self.height} image"
            raise ConfigurationError(msg)
        return replace(self, width=width, height=height, cx=self.cx - x, cy=self.cy - y)

    def binned(self, across: int, down: int) -> Camera:
        """Return the camera of the image whose pixels are sums of `across` x `down` pixels of this one.

        A row or column that does not fill a whole bin is dropped, as sensors do.

        Raises:
            ConfigurationError: a factor is below 1 or larger than the image.
        """
        if not (1 <= across <= self.width and 1 <= down <= self.height):
            msg = f"binning {across}x{down} of an image of {self.width}x{self.height}: need 1 up to its size"
            raise ConfigurationError(msg)
        width, height = self.width // across, self.height // down
        return replace(self, width=width * across, height=height * down).scaled(width, height)

    def normalise(self, points: Array) -> Array:
        """Return undistorted normalised coordinates (N, 2) of pixels (N, 2), NaN where there is none."""
        return self.rays(points)[0]

    def rays(self, points: Array) -> tuple[Array, Array]:
        """Return normalised coordinates (N, 2) of pixels (N, 2) and their derivatives (N, 2, 2) [ray, pixel].

        Both are NaN where the lens model has no inverse, and for pixels that are not finite.
        """
        rays, jacobian = self.ray_columns(points)
        each = np.broadcast_to(jacobian, (2, 2, rays.shape[1]))
        return rays.T, np.where(np.isnan(rays[0]), np.nan, each).transpose(2, 0, 1)

    def ray_columns(self, points: Array) -> tuple[Array, Array]:
        """Return what `rays` does with the points along the last axis: (2, N) and (2, 2, N).

        Without distortion there is one derivative for all, (2, 2, 1).
        """
        centre, focal = np.array([[self.cx], [self.cy]]), np.array([[self.fx], [self.fy]])
        points = np.asarray(points, np.float64).reshape(-1, 2)
        plane = (points.T - centre) / focal
        if self.skew:
            plane[0] -= self.skew / self.fx * plane[1]
        rays, jacobian = self._lens.undistort(plane)
        jacobian = jacobian / focal
        if self.skew:
            jacobian[:, 1] -= self.skew / self.fy * jacobian[:, 0]
        return rays, jacobian

    def project(self, rays: Array) -> Array:
        """Return the pixels (N, 2) of normalised coordinates (N, 2), NaN where the lens model ends."""
        rays = np.asarray(rays, np.float64).reshape(-1, 2)
        plane = self._lens.distort(rays.T).T
        pixels: Array = plane * [self.fx, self.fy] + [self.cx, self.cy]
        if self.skew:
            pixels[:, 0] += self.skew * plane[:, 1]
        return pixels

    @property
    def _lens(self) -> Lens:
        return Lens(self.distortion, self.coefficients)
