# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Exact ray casting of textured rectangles: images as a camera sees them, and their depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.camera import Camera
from drcn_ros.geometry.types import Array
from drcn_ros.scenes.atlas import Atlas
from drcn_ros.scenes.photographs import Image
from drcn_ros.scenes.surfaces import Rectangle

FloatArray = NDArray[np.float32]

# Rays per image row and column and pixel; their mean is the pixel, as on a sensor.
_SUPERSAMPLING = 2
# Rows, or for small images pixels, cast at once: all that belongs to them stays in the processor's cache.
_BAND = 32
_BAND_PIXELS = 20480
_NEAR = 0.02


@dataclass(frozen=True)
class _Rays:
    """Viewing rays (x, y, 1) of a pixel grid; x and y broadcast to the grid's shape."""

    x: FloatArray
    y: FloatArray
    shape: tuple[int, int]

    @classmethod
    def of(cls, camera: Camera) -> _Rays:
        columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
        points = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float64)
        rays = camera.normalise(points).reshape(camera.height, camera.width, 2).astype(np.float32)
        x, y = rays[..., 0], rays[..., 1]
        if not camera.coefficients:
            # Without a lens model x depends on the column alone and y on the row alone.
            x, y = x[:1], y[:, :1]
        return cls(x, y, (camera.height, camera.width))

    def bands(self) -> Iterator[_Rays]:
        rows, columns = self.shape
        # Whole pixels: each is the mean of two rows of rays.
        band = max(_BAND, _BAND_PIXELS // columns // _SUPERSAMPLING * _SUPERSAMPLING)
        for top in range(0, rows, band):
            y = self.y[top : top + band]
            x = self.x if len(self.x) == 1 else self.x[top : top + band]
            yield _Rays(x, y, (len(y), columns))

    def columns(self, low: float, high: float) -> slice:
        """Return the columns that hold every ray with `low` <= x <= `high`."""
        inside = np.flatnonzero((self.x.max(axis=0) >= low) & (self.x.min(axis=0) <= high))
        return slice(inside[0], inside[-1] + 1) if len(inside) else slice(0, 0)


@dataclass(frozen=True)
class _Plane:
    """A rectangle in camera coordinates, as linear forms of the ray r = (x, y, 1).

    Along a ray, `facing @ r` is proportional to the inverse depth, and the texture coordinates are
    `across @ r` and `down @ r` over it, 0 to 1 inside the rectangle.

    Attributes:
        low, high: (2,) bounds of the outline, as x and y of rays.
        texels: a ray's footprint, texels times squared inverse depth for a ray of unit angle.
        size: (2,) width and height of the texture.
        origin: (2,) place of the texture in the atlas.
    """

    facing: FloatArray
    across: FloatArray
    down: FloatArray
    low: Array
    high: Array
    texels: float
    size: FloatArray
    origin: FloatArray


@dataclass(frozen=True)
class _Frame:
    """What a rectangle's plane is made of, in world coordinates; a camera only turns it.

    Attributes:
        vectors: (5, 3) its sides across and down, their normal, and the duals of both sides in the plane.
        texels_per_metre: of its texture.
        normal_length: of the normal.
    """

    vectors: Array
    texels_per_metre: float
    normal_length: float

    @classmethod
    def of(cls, rectangle: Rectangle) -> _Frame:
        across, down = rectangle.across, rectangle.down
        normal = np.cross(across, down)
        square = normal @ normal
        duals = np.cross(down, normal) / square, np.cross(normal, across) / square
        rows, columns = rectangle.texture.shape[:2]
        texels = max(columns / float(np.linalg.norm(across)), rows / float(np.linalg.norm(down)))
        return cls(np.stack([across, down, normal, *duals]), texels, float(np.sqrt(square)))


@dataclass
class _Hits:
    """The nearest surface along each ray; zero where there is none.

    Attributes:
        inverse_depth: along the optical axis, 1 / metres.
        x, y: place in the atlas times the inverse depth.
        texels: as in `_Plane`.
    """

    inverse_depth: FloatArray
    x: FloatArray
    y: FloatArray
    texels: FloatArray


class Renderer:
    """Renders one scene through one camera.

    Args:
        scene: the rectangles; what none of them covers is black.
        camera: any calibrated camera.
    """

    def __init__(self, scene: Sequence[Rectangle], camera: Camera) -> None:
        self.camera = camera
        self._scene = list(scene)
        self._frames = [_Frame.of(rectangle) for rectangle in scene]
        self._atlas = Atlas([rectangle.texture for rectangle in scene])
        fine = camera.scaled(camera.width * _SUPERSAMPLING, camera.height * _SUPERSAMPLING)
        self._fine_rays = list(_Rays.of(fine).bands())
        self._rays = list(_Rays.of(camera).bands())
        self._fine_focal = fine.mean_focal

    def render(self, pose: Array, displacement: Array | None = None) -> Image:
        """Return the (H, W, 3) RGB image that a camera at `pose` sees.

        Args:
            pose: (4, 4) T_world_camera, optical frame.
            displacement: (3,) shift of the scene's moving part, metres, world.
        """
        planes = self._planes(pose, displacement)
        bands = []
        for rays in self._fine_rays:
            colours = self._colours(_cast(rays, planes))
            size = (colours.shape[1] // _SUPERSAMPLING, colours.shape[0] // _SUPERSAMPLING)
            bands.append(cv2.resize(colours, size, interpolation=cv2.INTER_AREA))
        return np.vstack(bands)

    def depth(self, pose: Array, displacement: Array | None = None) -> FloatArray:
        """Return the (H, W) depth along the optical axis at the pixel centres, metres; inf where empty."""
        planes = self._planes(pose, displacement)
        inverse = [_cast(rays, planes).inverse_depth for rays in self._rays]
        with np.errstate(divide="ignore"):
            return np.asarray(np.float32(1) / np.vstack(inverse), np.float32)

    def _colours(self, hits: _Hits) -> Image:
        empty = hits.inverse_depth == 0
        depth = np.float32(1) / np.where(empty, np.float32(1), hits.inverse_depth)
        texels = hits.texels * depth * depth * np.float32(1 / self._fine_focal)
        colours = self._atlas.sample(hits.x * depth, hits.y * depth, texels)
        colours[empty] = 0
        return colours

    def _planes(self, pose: Array, displacement: Array | None) -> list[_Plane]:
        shift = np.zeros(3) if displacement is None else np.asarray(displacement, np.float64)
        rotation, centre = pose[:3, :3].T, pose[:3, 3]
        planes = []
        for index, rectangle in enumerate(self._scene):
            corner = rotation @ (rectangle.corner + (shift if rectangle.moving else 0.0) - centre)
            size = rectangle.texture.shape[1::-1]
            plane = _plane(self._frames[index], corner, rotation, size, self._atlas.origins[index])
            if plane is not None:
                planes.append(plane)
        return planes


def _plane(
    frame: _Frame, corner: Array, rotation: Array, size: tuple[int, int], origin: FloatArray
) -> _Plane | None:
    """Return the linear forms of a rectangle, or None if it shows its back or lies behind the camera."""
    across, down, normal, dual_across, dual_down = frame.vectors @ rotation.T
    distance = float(normal @ corner)
    if distance <= 0:
        return None
    visible = _before_camera([corner, corner + across, corner + across + down, corner + down])
    if not len(visible):
        return None
    outline = visible[:, :2] / visible[:, 2:]
    # A point r * z of the plane is corner + u * across + v * down. Dividing by z and multiplying by
    # normal . r / distance = 1 / z leaves forms that are linear in r.
    facing = normal / distance
    return _Plane(
        facing.astype(np.float32),
        (dual_across - (dual_across @ corner) * facing).astype(np.float32),
        (dual_down - (dual_down @ corner) * facing).astype(np.float32),
        outline.min(axis=0),
        outline.max(axis=0),
        # Seen under the angle a, a ray's footprint on the plane is depth / cos(a) wide, and
        # cos(a) = normal . r / |normal| |r|.
        frame.texels_per_metre * frame.normal_length / distance,
        np.array(size, np.float32),
        origin,
    )


def _before_camera(corners: list[Array]) -> Array:
    """Clip a polygon at the near plane; return its (N, 3) corners."""
    kept: list[Array] = []
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        if start[2] >= _NEAR:
            kept.append(start)
        if (start[2] >= _NEAR) != (end[2] >= _NEAR):
            kept.append(start + (end - start) * (_NEAR - start[2]) / (end[2] - start[2]))
    return np.array(kept).reshape(-1, 3)


def _cast(rays: _Rays, planes: Sequence[_Plane]) -> _Hits:
    """Find the nearest surface along each ray."""
    hits = _Hits(*(np.zeros(rays.shape, np.float32) for _ in range(4)))
    top, bottom = float(rays.y.min()), float(rays.y.max())
    for plane in planes:
        if plane.high[1] < top or plane.low[1] > bottom:
            continue
        columns = rays.columns(plane.low[0], plane.high[0])
        if columns.stop:
            _cast_plane(rays, plane, columns, hits)
    return hits


def _cast_plane(rays: _Rays, plane: _Plane, columns: slice, hits: _Hits) -> None:
    """Write the rays that meet one plane before all others, in place."""
    x = rays.x[:, columns]
    y = rays.y if rays.y.shape[1] == 1 else rays.y[:, columns]
    inverse_depth, across, down = (
        form[0] * x + (form[1] * y + form[2]) for form in (plane.facing, plane.across, plane.down)
    )
    nearest = hits.inverse_depth[:, columns]
    hit = inverse_depth > nearest
    for coordinate in (across, down):
        hit &= coordinate >= 0
        hit &= coordinate <= inverse_depth
    if not hit.any():
        return
    np.copyto(nearest, inverse_depth, where=hit)
    np.copyto(hits.texels[:, columns], plane.texels, where=hit)
    for target, form, size, start in zip(
        (hits.x, hits.y), (across, down), plane.size, plane.origin, strict=True
    ):
        form *= size
        form += (start - np.float32(0.5)) * inverse_depth
        np.copyto(target[:, columns], form, where=hit)
