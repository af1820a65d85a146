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
from drcn_ros.scenes.planes import FloatArray, Plane, Planes
from drcn_ros.scenes.surfaces import Rectangle

# Rays per image row and column and pixel; their mean is the pixel, as on a sensor.
_SUPERSAMPLING = 2
# Rows, or for small images pixels, cast at once: all that belongs to them stays in the processor's cache.
_BAND = 32
_BAND_PIXELS = 20480


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

    def windows(self, planes: Sequence[Plane]) -> Iterator[tuple[Plane, slice, slice]]:
        """Yield each plane that may be met, with the rows and columns that hold all rays which meet it."""
        low, high = (np.array([getattr(plane, side) for plane in planes]) for side in ("low", "high"))
        bounds = [
            (
                np.searchsorted(np.maximum.accumulate(values.max(axis=axis)), low[:, axis], "left"),
                np.searchsorted(
                    np.minimum.accumulate(values.min(axis=axis)[::-1])[::-1], high[:, axis], "right"
                ),
            )
            for axis, values in ((1, self.y), (0, self.x))
        ]
        (top, bottom), (left, right) = bounds
        for index in np.flatnonzero((top < bottom) & (left < right)).tolist():
            yield planes[index], slice(top[index], bottom[index]), slice(left[index], right[index])


@dataclass
class _Hits:
    """The nearest surface along each ray; zero where there is none.

    Attributes:
        inverse_depth: along the optical axis, 1 / metres.
        x, y: place in the atlas times the inverse depth.
        texels: as in `Plane`.
    """

    inverse_depth: FloatArray
    x: FloatArray
    y: FloatArray
    texels: FloatArray


@dataclass(frozen=True)
class Sky:
    """A clear sky, infinitely far: its colour depends on the height above the horizon alone.

    Attributes:
        horizon, zenith: colours, RGB, 0 to 255.
    """

    horizon: tuple[float, float, float]
    zenith: tuple[float, float, float]

    def seen(self, rays: _Rays, empty: NDArray[np.bool_], pose: Array) -> Image:
        """Return the colours (K, 3) along those of the rays that meet nothing."""
        x, y = (np.broadcast_to(part, rays.shape)[empty] for part in (rays.x, rays.y))
        side, below, ahead = pose[2, :3].astype(np.float32)
        height = (side * x + below * y + ahead) / np.sqrt(x * x + y * y + np.float32(1))
        share = np.clip(height, 0, 1)[:, None] ** np.float32(0.6)
        low, high = (np.array(colour, np.float32) for colour in (self.horizon, self.zenith))
        return np.asarray(low + share * (high - low), np.uint8)


class Renderer:
    """Renders one scene through one camera.

    Args:
        scene: the rectangles.
        camera: any calibrated camera.
        sky: what none of them covers; None is black.
    """

    def __init__(self, scene: Sequence[Rectangle], camera: Camera, sky: Sky | None = None) -> None:
        self.camera = camera
        self._sky = sky
        self._atlas = Atlas([rectangle.texture for rectangle in scene])
        fine = camera.scaled(camera.width * _SUPERSAMPLING, camera.height * _SUPERSAMPLING)
        self._fine_rays = list(_Rays.of(fine).bands())
        self._rays = list(_Rays.of(camera).bands())
        self._fine_focal = fine.mean_focal
        self._scene = Planes(scene, self._atlas.origins, fine.mean_focal)
        sides = [[(float(rays.x.min()), float(rays.y.min())) for rays in self._fine_rays]]
        sides.append([(float(rays.x.max()), float(rays.y.max())) for rays in self._fine_rays])
        self._view = np.min(sides[0], axis=0).tolist(), np.max(sides[1], axis=0).tolist()

    def render(self, pose: Array, parts: Array | None = None) -> Image:
        """Return the (H, W, 3) RGB image that a camera at `pose` sees.

        Args:
            pose: (4, 4) T_world_camera, optical frame.
            parts: (K, 4, 4) T_world_part of the scene's moving parts 1 to K; None leaves all where they
                were made.
        """
        planes = self._planes(pose, parts)
        bands = []
        for rays in self._fine_rays:
            colours = self._colours(_cast(rays, planes), rays, pose)
            size = (colours.shape[1] // _SUPERSAMPLING, colours.shape[0] // _SUPERSAMPLING)
            bands.append(cv2.resize(colours, size, interpolation=cv2.INTER_AREA))
        return np.vstack(bands)

    def depth(self, pose: Array, parts: Array | None = None) -> FloatArray:
        """Return the (H, W) depth along the optical axis at the pixel centres, metres; inf where empty."""
        planes = self._planes(pose, parts)
        inverse = [_cast(rays, planes).inverse_depth for rays in self._rays]
        with np.errstate(divide="ignore"):
            return np.asarray(np.float32(1) / np.vstack(inverse), np.float32)

    def _colours(self, hits: _Hits, rays: _Rays, pose: Array) -> Image:
        empty = hits.inverse_depth == 0
        depth = np.float32(1) / np.where(empty, np.float32(1), hits.inverse_depth)
        texels = hits.texels * depth * depth * np.float32(1 / self._fine_focal)
        colours = self._atlas.sample(hits.x * depth, hits.y * depth, texels)
        colours[empty] = 0 if self._sky is None else self._sky.seen(rays, empty, pose)
        return colours

    def _planes(self, pose: Array, parts: Array | None) -> list[Plane]:
        # The nearest first: what they hide is then left out early.
        return sorted(self._scene.seen(pose, parts, *self._view), key=lambda plane: -plane.nearest)


def _cast(rays: _Rays, planes: Sequence[Plane]) -> _Hits:
    """Find the nearest surface along each ray."""
    hits = _Hits(*(np.zeros(rays.shape, np.float32) for _ in range(4)))
    if planes:
        for plane, *window in rays.windows(planes):
            _cast_plane(rays, plane, (window[0], window[1]), hits)
    return hits


def _cast_plane(rays: _Rays, plane: Plane, window: tuple[slice, slice], hits: _Hits) -> None:
    """Write the rays that meet one plane before all others, in place."""
    nearest = hits.inverse_depth[window]
    if nearest.min() > plane.nearest:
        return
    rows, columns = window
    x = rays.x[:, columns] if len(rays.x) == 1 else rays.x[window]
    y = rays.y[rows] if rays.y.shape[1] == 1 else rays.y[window]
    inverse_depth, across, down = (
        form[0] * x + (form[1] * y + form[2]) for form in (plane.facing, plane.across, plane.down)
    )
    hit = inverse_depth > nearest
    for coordinate in (across, down):
        hit &= coordinate >= 0
        hit &= coordinate <= inverse_depth
    if not hit.any():
        return
    if plane.cutout is not None:
        _cut(hit, plane.cutout, across, down, inverse_depth)
    np.copyto(nearest, inverse_depth, where=hit)
    np.copyto(hits.texels[window], plane.texels, where=hit)
    for target, form, size, start in zip(
        (hits.x, hits.y), (across, down), plane.size, plane.origin, strict=True
    ):
        form *= size
        form += (start - np.float32(0.5)) * inverse_depth
        np.copyto(target[window], form, where=hit)


def _cut(
    hit: NDArray[np.bool_],
    cutout: NDArray[np.bool_],
    across: FloatArray,
    down: FloatArray,
    inverse_depth: FloatArray,
) -> None:
    """Take the rays that pass through the holes of a surface out of its hits, in place."""
    rows, columns = cutout.shape
    depth = np.float32(1) / inverse_depth[hit]
    column = np.minimum((across[hit] * depth * np.float32(columns)).astype(np.int32), columns - 1)
    row = np.minimum((down[hit] * depth * np.float32(rows)).astype(np.int32), rows - 1)
    hit[hit] = cutout[row, column]
