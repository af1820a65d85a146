# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Patches of one radius, and the steps of inverse compositional alignment that they ask for.

Brightness and contrast are projected out of the gradients, so they may differ between the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch.nn.functional import grid_sample

from drcn_ros.networks.constants import constant

# Step between samples, and standard deviation of the weight that falls to the rim, over the radius.
_STEP, _DEVIATION = 0.25, 0.6
# Damping of the least squares relative to its diagonal, and bounds that keep one step sane.
_DAMPING = 1e-4
_LEAST_CONTRAST = 0.2
_LARGEST_CHANGE = 0.3
_TINY = 1e-9


@dataclass(frozen=True)
class Discs:
    """Patches of one radius around M points, P samples each, and the steps that a difference asks for.

    The points come last: all that is done to a sample is done to those of many points at once.

    Attributes:
        radius: pixels.
        offsets: (P, 2) places of the samples around a point, pixels.
        weights: (P, 1) with sum 1.
        values: (P, M) samples less their mean.
        energy: (M,) weighted sum of their squares.
        slopes: (6, P, M) weighted change of the samples with each parameter of the warp; (2, P, M) where they
            are for translations only.
        translation: (M, 2, 2) inverse of the normal matrix of the first two.
        affine: (M, 6, 6) that of all, or None.
    """

    radius: float
    offsets: torch.Tensor
    weights: torch.Tensor
    values: torch.Tensor
    energy: torch.Tensor
    slopes: torch.Tensor
    translation: torch.Tensor
    affine: torch.Tensor | None

    @classmethod
    def of(
        cls,
        image: torch.Tensor,
        points: torch.Tensor,
        radius: float,
        affine: bool = True,
        large: bool = False,
    ) -> Discs:
        """Sample an (H, W) image, as `smooth` gives it, around (M, 2) points.

        Args:
            image: what is sampled.
            points: pixels.
            radius: of the patches, pixels.
            affine: whether they will tell affine warps and not only translations.
            large: the image has many more pixels than the patches, so that its gradient is not worth making.
        """
        offsets = _places(radius, image.device)
        weights = torch.exp(-offsets.square().sum(dim=1, keepdim=True) / (2 * (_DEVIATION * radius) ** 2))
        weights = weights / weights.sum()
        upright = torch.eye(2, device=image.device).expand(len(points), 2, 2)
        if large:
            values, *slope = _sampled_with_gradient(image, offsets, points, upright)
        else:
            values, *slope = _sample(_with_gradient(image), offsets, points, upright)
        values = values - weights.T @ values
        energy = (weights.T @ values.square())[0] + _TINY
        if affine:
            x, y = (offsets / radius).T[:, :, None]
            slope += [slope[0] * x, slope[0] * y, slope[1] * x, slope[1] * y]
        slopes = torch.stack(slope)
        slopes -= weights.T @ slopes
        # What looks like a change of brightness or of contrast must not move the point.
        slopes -= (weights.T @ (slopes * values)) / energy * values
        weighted = slopes * weights
        normal = torch.zeros(len(points), len(slopes), len(slopes), device=image.device)
        for row in range(len(slopes)):
            normal[:, row, row:] = (weighted[row] * slopes[row:]).sum(dim=1).T
        normal = normal + normal.triu(1).transpose(1, 2)
        return cls(
            radius,
            offsets,
            weights,
            values,
            energy,
            weighted,
            _damped_inverse(normal[:, :2, :2]),
            _damped_inverse(normal) if affine else None,
        )

    @classmethod
    def joined(cls, parts: Sequence[Discs]) -> Discs:
        """Return the patches of several images, all of one radius, one after the other."""
        first = parts[0]
        affine = [part.affine for part in parts if part.affine is not None]
        return replace(
            first,
            values=torch.cat([part.values for part in parts], dim=1),
            energy=torch.cat([part.energy for part in parts]),
            slopes=torch.cat([part.slopes for part in parts], dim=2),
            translation=torch.cat([part.translation for part in parts]),
            affine=torch.cat(affine) if affine else None,
        )

    def select(self, chosen: torch.Tensor) -> Discs:
        """Return the patches of some points (N,)."""
        return replace(
            self,
            values=self.values.index_select(1, chosen),
            energy=self.energy[chosen],
            slopes=self.slopes.index_select(2, chosen),
            translation=self.translation[chosen],
            affine=None if self.affine is None else self.affine[chosen],
        )

    def update(
        self, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor, affine: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the step of the points (M, 2) and the next warps (M, 2, 2); without `affine` they stay."""
        values = self._warped(image, points, warps)
        contrast = (self.weights.T @ (values * self.values))[0] / self.energy
        inverse = self.affine if affine and self.affine is not None else self.translation
        wanted = (self.slopes[: inverse.shape[1]] * values).sum(dim=1) / contrast.clamp(min=_LEAST_CONTRAST)
        step = (inverse @ wanted.T[:, :, None])[:, :, 0]
        if affine:
            change = (
                (step[:, 2:] / self.radius).clamp(-_LARGEST_CHANGE, _LARGEST_CHANGE).view(len(step), 2, 2)
            )
            warps = warps - warps @ change
        return -(warps @ step[:, :2, None])[:, :, 0], warps

    def correlation(self, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor) -> torch.Tensor:
        """Return (M,) normalised cross-correlation of the patches with the image."""
        values = self._warped(image, points, warps)
        energy = (self.weights.T @ values.square())[0] + _TINY
        product: torch.Tensor = (self.weights.T @ (values * self.values))[0]
        return product / (energy * self.energy).sqrt()

    def deviations(self, correlation: torch.Tensor) -> torch.Tensor:
        """Return how far (M,) the aligned points may be off, pixels, up to a factor that all points share.

        The deviation of a least squares solution: what of the patch the image does not show, over what a step
        changes. On a plain wall it is large, and so it is along an edge.

        Args:
            correlation: (M,) of the aligned patches.
        """
        unexplained = (1 - correlation.square()).clamp(min=0) * self.energy
        inverse = self.translation if self.affine is None else self.affine
        return (unexplained * (inverse[:, 0, 0] + inverse[:, 1, 1])).sqrt()

    def _warped(self, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor) -> torch.Tensor:
        values = _sample(image[None], self.offsets, points, warps)[0]
        return values - self.weights.T @ values


@cache
def _places(radius: float, device: torch.device) -> torch.Tensor:
    """Return (P, 2) places around a point, pixels."""
    step = _STEP * radius
    side = torch.arange(-radius, radius + step / 2, step)
    places = torch.cartesian_prod(side, side)
    return places[places.square().sum(dim=1) <= radius**2].to(device)


def _damped_inverse(normal: torch.Tensor) -> torch.Tensor:
    damping = _DAMPING * normal.diagonal(dim1=1, dim2=2).mean(dim=1) + _TINY
    unit = torch.eye(normal.shape[1], device=normal.device)
    # The other form would look whether it worked, and wait for a GPU to do so; damped it does.
    inverse: torch.Tensor = torch.linalg.inv_ex(normal + damping[:, None, None] * unit).inverse
    return inverse


def _with_gradient(image: torch.Tensor) -> torch.Tensor:
    """Return (3, H, W): the image and its central differences along x and y, 0 at the rim."""
    maps = torch.zeros(3, *image.shape, device=image.device)
    maps[0] = image
    maps[1, :, 1:-1] = (image[:, 2:] - image[:, :-2]) / 2
    maps[2, 1:-1] = (image[2:] - image[:-2]) / 2
    return maps


def _sampled_with_gradient(
    image: torch.Tensor, offsets: torch.Tensor, points: torch.Tensor, warps: torch.Tensor
) -> list[torch.Tensor]:
    """Return samples (P, M) as `_sample` gives them of an image and its central differences along x and y."""
    samples = [_sample(image[None], offsets, points, warps)[0]]
    for step in ((1.0, 0.0), (0.0, 1.0)):
        shift = constant(step, points)
        ahead, behind = (_sample(image[None], offsets, points + way * shift, warps)[0] for way in (1, -1))
        samples.append((ahead - behind) / 2)
    return samples


def _sample(
    maps: torch.Tensor, offsets: torch.Tensor, points: torch.Tensor, warps: torch.Tensor
) -> torch.Tensor:
    """Return (C, P, M) bilinear samples of (C, H, W) around points; the rim is continued outside.

    Args:
        maps: what is sampled.
        offsets: (P, 2) pixels.
        points: (M, 2) pixels.
        warps: (M, 2, 2) of the offsets around each point.
    """
    height, width = maps.shape[-2:]
    size = constant([width, height], points)
    # The whole change to grid coordinates in one product: the places of all samples are the largest arrays.
    centres = (points * 2 + 1) / size - 1
    scaled = (warps * (2 / size[:, None])).permute(2, 0, 1).reshape(2, 2 * len(points))
    grid = torch.addmm(centres.flatten(), offsets, scaled).view(1, len(offsets), len(points), 2)
    return grid_sample(maps[None], grid, padding_mode="border", align_corners=False)[0]
