# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Patches of an image prepared for inverse compositional alignment (Baker and Matthews, IJCV 2004).

What depends on the reference image alone is computed once for its keypoints, and serves all frames that are
matched with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch

from drcn_ros.matching.discs import Discs
from drcn_ros.matching.types import Features
from drcn_ros.networks.constants import constant

# Radii of the discs that patches are, pixels.
_WIDE, _NARROW = 12.0, 6.0


@dataclass(frozen=True)
class ImageFeatures(Features):
    """Keypoints, and the image that matches are refined on.

    Attributes:
        image: (H, W) grey, as `smooth` gives it.
        detail: (H', W') the same of the larger image that this one was reduced from, in half precision, or
            None.
    """

    image: torch.Tensor
    detail: torch.Tensor | None = field(default=None, kw_only=True)

    @property
    def pixel(self) -> float:
        """Side of a pixel of the image that matches are refined on, the longer one; see `Features.pixel`."""
        if self.detail is None:
            return 1.0
        (height, width), (higher, wider) = self.image.shape, self.detail.shape
        return max(height / higher, width / wider)

    @cached_property
    def patches(self) -> Patches:
        """The patches around all keypoints, made when they are first asked for."""
        return self.patches_at(self.points)

    def for_search(self) -> SearchedFeatures:
        """Return what `find_points` needs of the image, a tenth of what matching needs."""
        return SearchedFeatures(
            self.size, self.points, self.scores, self.scales, None, self.patches, self.pixel, real=self.real
        )

    def patches_at(self, points: torch.Tensor) -> Patches:
        """Return the patches around (M, 2) points, pixels, with those of the larger image if there is one."""
        patches = Patches.of(self.image, points)
        if self.detail is None:
            return patches
        factors = size_ratio(self.detail, self.image, points)
        detail = Patches.of(self.detail.float(), enlarge(points, factors), large=True)
        return replace(patches, detail=replace(detail, factors=factors))


@dataclass(frozen=True)
class SearchedFeatures(Features):
    """Keypoints that are looked for in later images, without what matching needs.

    Attributes:
        patches: around all keypoints.
        side: of a pixel, see `Features.pixel`.
    """

    patches: Patches
    side: float

    @property
    def matchable(self) -> bool:
        """No: there is nothing to match."""
        return False

    @property
    def pixel(self) -> float:
        """See `Features.pixel`."""
        return self.side


@dataclass(frozen=True)
class Patches:
    """What the surroundings of M points of an image look like.

    A wide patch finds its place and warp from farther off, but holds more than the point: where the depth
    changes in it, it goes with what fills it, not with its centre. A narrow one tells the place itself.

    Attributes:
        wide: tells affine warps.
        narrow: tells translations.
        detail: the surroundings of the same points in a larger image of the same view, or None.
        factors: (2,) how many times wider and higher that image is, with its patches; else None.
    """

    wide: Discs
    narrow: Discs
    detail: Patches | None = None
    factors: torch.Tensor | None = None

    @classmethod
    def of(cls, image: torch.Tensor, points: torch.Tensor, large: bool = False) -> Patches:
        """Sample an (H, W) image, as `smooth` gives it, around (M, 2) points; for `large` see `Discs.of`."""
        return cls(
            Discs.of(image, points, _WIDE, large=large),
            Discs.of(image, points, _NARROW, affine=False, large=large),
        )

    @classmethod
    def joined(cls, parts: Sequence[Patches]) -> Patches:
        """Return the patches of several images one after the other."""
        details = [part.detail for part in parts if part.detail is not None]
        return cls(
            Discs.joined([part.wide for part in parts]),
            Discs.joined([part.narrow for part in parts]),
            cls.joined(details) if details and len(details) == len(parts) else None,
            parts[0].factors,
        )

    def select(self, chosen: torch.Tensor) -> Patches:
        """Return the patches of some points (N,)."""
        detail = None if self.detail is None else self.detail.select(chosen)
        return Patches(self.wide.select(chosen), self.narrow.select(chosen), detail, self.factors)


def size_ratio(image: torch.Tensor, other: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return how many times (2,) an image is as wide and as high as another, in the type of `like`."""
    (height, width), (other_height, other_width) = image.shape, other.shape
    return constant([width / other_width, height / other_height], like)


def enlarge(points: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Return pixels (M, 2) of an image in those of one that is so many times (2,) as large."""
    return (points + 0.5) * factors - 0.5
