# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The rectangles of a scene as a camera sees them: planes in its coordinates, those out of view left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drcn_ros.geometry.types import Array
from drcn_ros.scenes.surfaces import Rectangle

FloatArray = NDArray[np.float32]
Mask = NDArray[np.bool_]

_NEAR = 0.02
# Above the errors of the rays' arithmetic in float32.
_ROUNDED_UP = 1.0001


@dataclass(frozen=True)
class Plane:
    """A rectangle in camera coordinates, as linear forms of the ray r = (x, y, 1).

    Along a ray, `facing @ r` is proportional to the inverse depth, and the texture coordinates are
    `across @ r` and `down @ r` over it, 0 to 1 inside the rectangle.

    Attributes:
        facing, across, down: (3,) as above.
        low, high: (2,) bounds of the outline, as x and y of rays.
        nearest: no inverse depth of the rectangle is larger.
        texels: a ray's footprint, texels times squared inverse depth for a ray of unit angle.
        size: (2,) width and height of the texture.
        origin: (2,) place of the texture in the atlas.
        cutout: at the resolution that fits the distance, or None.
    """

    facing: FloatArray
    across: FloatArray
    down: FloatArray
    low: Array
    high: Array
    nearest: float
    texels: float
    size: FloatArray
    origin: FloatArray
    cutout: Mask | None


@dataclass(frozen=True)
class _Frame:
    """What a rectangle's plane is made of, in world coordinates; a camera only turns it.

    Attributes:
        vectors: (5, 3) its sides across and down, their normal, and the duals of both sides in the plane.
        texels_per_metre: of its texture.
        normal_length: of the normal.
        cutouts: at full resolution and halved again and again; empty without a cutout.
    """

    vectors: Array
    texels_per_metre: float
    normal_length: float
    cutouts: tuple[Mask, ...]

    @classmethod
    def of(cls, rectangle: Rectangle, cutouts: tuple[Mask, ...]) -> _Frame:
        across, down = rectangle.across, rectangle.down
        normal = np.cross(across, down)
        square = normal @ normal
        duals = np.cross(down, normal) / square, np.cross(normal, across) / square
        rows, columns = rectangle.texture.shape[:2]
        texels = max(columns / float(np.linalg.norm(across)), rows / float(np.linalg.norm(down)))
        return cls(np.stack([across, down, normal, *duals]), texels, float(np.sqrt(square)), cutouts)


class Planes:
    """Turns rectangles into planes, for any pose of the camera and of the scene's moving parts.

    Args:
        scene: the rectangles.
        origins: (N, 2) places of their textures in the atlas.
        focal: of the rays, pixels.
    """

    def __init__(self, scene: Sequence[Rectangle], origins: FloatArray, focal: float) -> None:
        self._scene = list(scene)
        self._origins = origins
        self._focal = focal
        halved = {id(made.cutout): _halvings(made.cutout) for made in scene if made.cutout is not None}
        self._frames = [_Frame.of(made, halved.get(id(made.cutout), ())) for made in scene]
        parts = np.array([made.part for made in scene])
        self._parts = [np.flatnonzero(parts == part) for part in range(parts.max(initial=0) + 1)]
        outlines = [
            [
                made.corner,
                made.corner + made.across,
                made.corner + made.across + made.down,
                made.corner + made.down,
            ]
            for made in scene
        ]
        self._outlines = np.array(outlines, np.float64).reshape(-1, 4, 3)
        self._normals = np.array([frame.vectors[2] for frame in self._frames]).reshape(-1, 3)

    def seen(
        self, pose: Array, parts: Array | None, low: Sequence[float], high: Sequence[float]
    ) -> Iterator[Plane]:
        """Yield the planes that a camera may see, in the order of the scene.

        Args:
            pose: (4, 4) T_world_camera.
            parts: (K, 4, 4) T_world_part of parts 1 to K; None puts all into their own frame.
            low, high: bounds of the viewing rays, x and y.
        """
        for part, rows in enumerate(self._parts):
            relative = pose
            if part and parts is not None:
                relative = np.linalg.inv(parts[part - 1]) @ pose
            rotation, centre = relative[:3, :3].T, relative[:3, 3]
            for row in rows[self._may_be_seen(rows, rotation, centre, low, high)]:
                made = self._scene[row]
                corner = rotation @ (made.corner - centre)
                size = made.texture.shape[1::-1]
                plane = self._plane(self._frames[row], corner, rotation, size, self._origins[row])
                if plane is not None:
                    yield plane

    def _may_be_seen(
        self,
        rows: NDArray[np.intp],
        rotation: Array,
        centre: Array,
        low: Sequence[float],
        high: Sequence[float],
    ) -> Mask:
        """Return which rectangles show their face and are not wholly beside the view."""
        outlines = self._outlines[rows] - centre
        faces = np.einsum("ij,ij->i", self._normals[rows], outlines[:, 0]) > 0
        points = outlines @ rotation.T
        depth = points[..., 2]
        seen = faces & (depth >= _NEAR).any(axis=1)
        for axis in (0, 1):
            # Against the planes through the camera and the image's borders, which holds behind it too.
            seen &= (points[..., axis] >= low[axis] * depth).any(axis=1)
            seen &= (points[..., axis] <= high[axis] * depth).any(axis=1)
        return np.asarray(seen, np.bool_)

    def _plane(
        self, frame: _Frame, corner: Array, rotation: Array, size: tuple[int, int], origin: FloatArray
    ) -> Plane | None:
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
        cutout = None
        if frame.cutouts:
            wide = frame.texels_per_metre * float(visible[:, 2].mean()) / self._focal
            level = int(np.clip(np.rint(np.log2(max(wide, 1.0))), 0, len(frame.cutouts) - 1))
            cutout = frame.cutouts[level]
        return Plane(
            facing.astype(np.float32),
            (dual_across - (dual_across @ corner) * facing).astype(np.float32),
            (dual_down - (dual_down @ corner) * facing).astype(np.float32),
            outline.min(axis=0),
            outline.max(axis=0),
            _ROUNDED_UP / float(visible[:, 2].min()),
            # Seen under the angle a, a ray's footprint on the plane is depth / cos(a) wide, and
            # cos(a) = normal . r / |normal| |r|.
            frame.texels_per_metre * frame.normal_length / distance,
            np.array(size, np.float32),
            origin,
            cutout,
        )


def _halvings(cutout: Mask) -> tuple[Mask, ...]:
    """Return a mask at its resolution and at half, a quarter, ... of it; half covered counts as covered."""
    levels, cover = [cutout], cutout.astype(np.float32)
    while min(cover.shape) >= 4:
        cover = np.asarray(
            cv2.resize(cover, (cover.shape[1] // 2, cover.shape[0] // 2), interpolation=cv2.INTER_AREA),
            np.float32,
        )
        levels.append(cover >= 0.5)
    return tuple(levels)


def _before_camera(corners: list[Array]) -> Array:
    """Clip a polygon at the near plane; return its (N, 3) corners."""
    kept: list[Array] = []
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        if start[2] >= _NEAR:
            kept.append(start)
        if (start[2] >= _NEAR) != (end[2] >= _NEAR):
            kept.append(start + (end - start) * (_NEAR - start[2]) / (end[2] - start[2]))
    return np.array(kept).reshape(-1, 3)
