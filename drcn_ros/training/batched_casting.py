# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Ray casting of textured rectangles, many views of one scene at a time on a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import avg_pool2d

from drcn_ros.scenes.surfaces import Rectangle
from drcn_ros.training.batched_views import Atlas, upload

# Times that a texture is halved.
_LEVELS = 3
_NEAREST = 1e-3
_TINY = 1e-9
# Pairs of a ray and a rectangle that are looked at together.
_AT_ONCE = 1 << 25


@dataclass(frozen=True)
class Pyramids:
    """All tiles at full, half, ... size, one after the other in one array.

    Attributes:
        pixels: (K,) uint8.
        starts, widths, heights: (L,) of the levels: where the first tile begins, and the sizes of all.
    """

    pixels: torch.Tensor
    starts: torch.Tensor
    widths: torch.Tensor
    heights: torch.Tensor

    @classmethod
    def of(cls, atlas: Atlas) -> Pyramids:
        """Reduce the tiles of an atlas."""
        levels = [atlas.pixels.float()]
        for _ in range(_LEVELS):
            levels.append(avg_pool2d(levels[-1], 2))
        sizes = np.array([level.shape[2:] for level in levels])
        starts = np.cumsum([0, *(level.numel() for level in levels[:-1])])
        pixels = torch.cat([level.round().to(torch.uint8).flatten() for level in levels])
        numbers = (upload(part, pixels.device) for part in (starts, sizes[:, 1], sizes[:, 0]))
        return cls(pixels, *numbers)

    def sample(
        self, tile: torch.Tensor, x: torch.Tensor, y: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """Return grey levels at pixels (x, y) of tiles at full size, all of one shape; bilinear."""
        scale = 0.5 ** level.float()
        width, height, start = self.widths[level], self.heights[level], self.starts[level]
        x, y = (x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5
        x, y = (torch.minimum(k.clamp(min=0), n - 1.0) for k, n in ((x, width), (y, height)))
        left, top = x.long(), y.long()
        right, below = torch.minimum(left + 1, width - 1), torch.minimum(top + 1, height - 1)
        across, down = x - left, y - top
        first = start + tile * width * height

        def pixel(column: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
            return self.pixels[first + row * width + column].float()

        upper = (1 - across) * pixel(left, top) + across * pixel(right, top)
        lower = (1 - across) * pixel(left, below) + across * pixel(right, below)
        return (1 - down) * upper + down * lower


@dataclass(frozen=True)
class Cover:
    """What lies on R rectangles.

    Attributes:
        tiles: (R,) of the atlas, mirrored where the rectangle is larger.
        gain, offset: (R,) applied to the grey levels.
    """

    tiles: NDArray[np.int64]
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]


@dataclass(frozen=True)
class Hits:
    """What rays (...) meet first.

    Attributes:
        distance: (...) in lengths of the ray, infinite for nothing.
        rectangle: (...) which one.
        across, down: (...) of the rectangle's sides, 0 to 1.
    """

    distance: torch.Tensor
    rectangle: torch.Tensor
    across: torch.Tensor
    down: torch.Tensor


class Scene:
    """Rectangles on a device.

    Args:
        rectangles: visible from the side where their sides point right and down.
        cover: their textures.
        texels_per_metre: of the textures.
        pyramids: of the tiles.
        atlas: of the tiles, for their shapes.
    """

    def __init__(
        self,
        rectangles: Sequence[Rectangle],
        cover: Cover,
        texels_per_metre: float,
        pyramids: Pyramids,
        atlas: Atlas,
    ) -> None:
        device = pyramids.pixels.device
        corner, across, down = (
            np.array([getattr(one, name) for one in rectangles]) for name in ("corner", "across", "down")
        )
        lengths = [np.linalg.norm(side, axis=1) for side in (across, down)]
        # Rows that give, for a vector: its part along the normal, and along both sides in parts of these.
        rows = np.stack(
            [np.cross(across, down), across / lengths[0][:, None] ** 2, down / lengths[1][:, None] ** 2]
        )
        self._rows = upload(rows, device)
        self._corners = upload(np.einsum("krc,rc->kr", rows, corner), device)
        self._texels = [upload(length * texels_per_metre, device) for length in lengths]
        self._limits = [upload(atlas.shapes[cover.tiles][:, axis] - 1.0, device) for axis in (1, 0)]
        self._tiles, self._gain, self._offset = (
            upload(part, device) for part in (cover.tiles, cover.gain, cover.offset)
        )
        self._texels_per_metre = texels_per_metre
        self._pyramids = pyramids

    def cast(self, origins: torch.Tensor, rays: torch.Tensor) -> Hits:
        """Return what (N, H, W, 3) rays from (N, 3) origins meet."""
        size = max(1, _AT_ONCE // (rays.shape[1] * rays.shape[2] * self._rows.shape[1]))
        parts = [
            self._cast(origins[start : start + size], rays[start : start + size])
            for start in range(0, len(rays), size)
        ]
        names = ("distance", "rectangle", "across", "down")
        return Hits(*(torch.cat([getattr(part, name) for part in parts]) for name in names))

    def _cast(self, origins: torch.Tensor, rays: torch.Tensor) -> Hits:
        along = torch.einsum("nyxc,krc->knyxr", rays, self._rows)
        left = self._corners[:, None] - torch.einsum("nc,krc->knr", origins, self._rows)
        towards, (across, down) = along[0], along[1:]
        distance = left[0][:, None, None] / torch.where(towards > _TINY, towards, 1.0)
        u = distance * across - left[1][:, None, None]
        v = distance * down - left[2][:, None, None]
        hit = (towards > _TINY) & (distance > _NEAREST) & (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
        nearest, index = torch.where(hit, distance, torch.inf).min(dim=-1)
        place = (part.gather(-1, index[..., None])[..., 0] for part in (u, v))
        return Hits(nearest, index, *place)

    def colours(self, hits: Hits, focal: float) -> torch.Tensor:
        """Return the grey levels (...), 0 to 1, of what rays of length 1 along the optical axis have met.

        Args:
            hits: of the rays.
            focal: focal length in pixels, which tells how much of a texture a pixel covers.
        """
        rectangle = hits.rectangle
        texels = (hits.distance * (self._texels_per_metre / focal)).clamp(1, 2**_LEVELS)
        level = texels.log2().round().nan_to_num(0, _LEVELS, 0).long()
        x, y = (
            _mirrored(place * length[rectangle] - 0.5, limit[rectangle])
            for place, length, limit in zip((hits.across, hits.down), self._texels, self._limits, strict=True)
        )
        grey = self._pyramids.sample(self._tiles[rectangle], x, y, level)
        grey = (grey * self._gain[rectangle] + self._offset[rectangle]).clamp(0, 255) / 255
        return torch.where(torch.isfinite(hits.distance), grey, 0.0)


def _mirrored(places: torch.Tensor, limit: torch.Tensor) -> torch.Tensor:
    """Return places within [0, limit], reflected at both ends."""
    places = places.abs() % (2 * limit)
    return torch.minimum(places, 2 * limit - places)
