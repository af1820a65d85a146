# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sub-pixel refinement of matches on the images themselves, and the test that both show the same.

Each match is the start of an inverse compositional Lucas-Kanade alignment (Baker and Matthews, IJCV 2004) of
the patch around the reference point: one step of translation, then an affine warp. Brightness and contrast
are projected out of the template's gradients, so they may differ between the images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn.functional import grid_sample, pad

from drcn_ros.matching.types import Matches

# Patch: a disc of this radius and step between samples, pixels; weight falls to the rim as a Gaussian.
_RADIUS = 12.0
_STEP = 3.0
_DEVIATION = 0.6 * _RADIUS
# Standard deviation in pixels of the smoothing that the step between samples needs.
_SMOOTHING = 1.2
_TRANSLATION_STEPS = 1
_AFFINE_STEPS = 3
# A point that moves less than this in one step, pixels, has arrived.
_ARRIVED = 0.02
# Share of the points below which going on with those alone is worth picking them.
_WORTH_SELECTING = 0.6
# Farthest move in pixels, and least correlation of the patches, of a match that is believed.
_FARTHEST = 3.0
_LEAST_CORRELATION = 0.6
# Damping of the least squares relative to its diagonal, and bounds that keep one step sane.
_DAMPING = 1e-4
_LEAST_CONTRAST = 0.2
_LARGEST_CHANGE = 0.3
_TINY = 1e-9


@dataclass(frozen=True)
class Alignment:
    """Outcome of the alignment of M matches.

    Attributes:
        points: (M, 2) refined points of the current image, pixels.
        correlation: (M,) normalised cross-correlation of the aligned patches, in [-1, 1].
        good: (M,) bool, the alignment stayed in the image and close to its start, and the patches agree.
    """

    points: torch.Tensor
    correlation: torch.Tensor
    good: torch.Tensor


def smooth(image: torch.Tensor) -> torch.Tensor:
    """Return the (H, W) image in the smoothed form that `align` takes."""
    steps = torch.arange(-3.0, 4.0)
    shares = torch.exp(-steps.square() / (2 * _SMOOTHING**2))
    shares = shares / shares.sum()
    # Sums of shifted images are several times faster than a convolution of one channel.
    for axis, reach in enumerate(((0, 0, 3, 3), (3, 3, 0, 0))):
        padded = pad(image[None, None], reach, mode="replicate")[0, 0]
        length = image.shape[axis]
        image = torch.zeros_like(image)
        for shift, share in enumerate(shares.tolist()):
            image.add_(padded.narrow(axis, shift, length), alpha=share)
    return image


def align_matches(reference: torch.Tensor, current: torch.Tensor, matches: Matches) -> Matches:
    """Return the matches with refined current points, best first; those whose patches disagree are left out.

    A score is multiplied by the correlation of the aligned patches.

    Args:
        reference: (H, W) smoothed image of the reference points.
        current: (H', W') smoothed image of the current points.
        matches: what to refine.
    """
    if len(matches) == 0:
        return matches
    device = reference.device
    aligned = align(
        reference,
        current,
        torch.from_numpy(matches.reference_points).to(device),
        torch.from_numpy(matches.current_points).to(device),
    )
    scores = matches.scores * aligned.correlation.cpu().numpy()
    order = np.argsort(-scores, kind="stable")
    order = order[aligned.good.cpu().numpy()[order]]
    return Matches(
        reference_points=matches.reference_points[order],
        current_points=aligned.points.cpu().numpy()[order],
        scores=scores[order],
        reference_index=matches.reference_index[order],
        current_index=matches.current_index[order],
    )


def align(
    reference: torch.Tensor,
    current: torch.Tensor,
    reference_points: torch.Tensor,
    current_points: torch.Tensor,
) -> Alignment:
    """Align the patch around each reference point with the current image.

    Args:
        reference: (H, W) smoothed reference image.
        current: (H', W') smoothed current image.
        reference_points: (M, 2) pixels, kept as they are.
        current_points: (M, 2) pixels, where the search starts.
    """
    template = _Template.of(reference, reference_points)
    points = current_points.clone()
    warps = torch.eye(2, device=points.device).repeat(len(points), 1, 1)
    active, moving = torch.arange(len(points), device=points.device), template
    for step in range(_TRANSLATION_STEPS + _AFFINE_STEPS):
        affine = step >= _TRANSLATION_STEPS
        move, warps[active] = moving.update(current, points[active], warps[active], affine)
        # Beyond the farthest believable place nothing is gained by going on.
        offsets = points[active] + move - current_points[active]
        offsets *= _FARTHEST / offsets.norm(dim=1, keepdim=True).clamp(min=_FARTHEST)
        points[active] = current_points[active] + offsets
        if affine:
            on_the_way = torch.nonzero(move.norm(dim=1) > _ARRIVED)[:, 0]
            if len(on_the_way) < _WORTH_SELECTING * len(active):
                active, moving = active[on_the_way], moving.select(on_the_way)
    correlation = template.correlation(current, points, warps)
    moved = (points - current_points).norm(dim=1)
    height, width = current.shape
    inside = ((points >= 0) & (points <= points.new_tensor([width - 1, height - 1]))).all(dim=1)
    good = (correlation >= _LEAST_CORRELATION) & (moved < 0.99 * _FARTHEST) & inside
    return Alignment(points, correlation, good)


@dataclass(frozen=True)
class _Template:
    """Patches of M reference points, P samples each, and the steps that a difference to them asks for.

    The points come last: all that is done to a sample is done to those of many points at once.

    Attributes:
        offsets: (P, 2) places of the samples around a point, pixels.
        weights: (P, 1) with sum 1.
        values: (P, M) samples less their mean.
        energy: (M,) weighted sum of their squares.
        slopes: (6, P, M) weighted change of the samples with each parameter of the warp.
        translation: (M, 2, 2) inverse of the normal matrix of the first two.
        affine: (M, 6, 6) that of all.
    """

    offsets: torch.Tensor
    weights: torch.Tensor
    values: torch.Tensor
    energy: torch.Tensor
    slopes: torch.Tensor
    translation: torch.Tensor
    affine: torch.Tensor

    @classmethod
    def of(cls, image: torch.Tensor, points: torch.Tensor) -> _Template:
        """Sample an (H, W) image around (M, 2) points."""
        offsets = _disc().to(image.device)
        weights = torch.exp(-offsets.square().sum(dim=1, keepdim=True) / (2 * _DEVIATION**2))
        weights = weights / weights.sum()
        upright = torch.eye(2, device=image.device).expand(len(points), 2, 2)
        values, slope_x, slope_y = _sample(_with_gradient(image), offsets, points, upright)
        values = values - weights.T @ values
        energy = (weights.T @ values.square())[0] + _TINY
        x, y = (offsets / _RADIUS).T[:, :, None]
        slopes = torch.stack([slope_x, slope_y, slope_x * x, slope_x * y, slope_y * x, slope_y * y])
        slopes -= weights.T @ slopes
        # What looks like a change of brightness or of contrast must not move the point.
        slopes -= (weights.T @ (slopes * values)) / energy * values
        weighted = slopes * weights
        normal = torch.zeros(len(points), 6, 6, device=image.device)
        for row in range(6):
            normal[:, row, row:] = (weighted[row] * slopes[row:]).sum(dim=1).T
        normal = normal + normal.triu(1).transpose(1, 2)
        return cls(
            offsets,
            weights,
            values,
            energy,
            weighted,
            _damped_inverse(normal[:, :2, :2]),
            _damped_inverse(normal),
        )

    def select(self, chosen: torch.Tensor) -> _Template:
        """Return the patches of some points (N,)."""
        return replace(
            self,
            values=self.values[:, chosen],
            energy=self.energy[chosen],
            slopes=self.slopes[:, :, chosen],
            translation=self.translation[chosen],
            affine=self.affine[chosen],
        )

    def update(
        self, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor, affine: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the step of the points (M, 2) and their next warps (M, 2, 2)."""
        values = self._warped(image, points, warps)
        contrast = (self.weights.T @ (values * self.values))[0] / self.energy
        inverse = self.affine if affine else self.translation
        wanted = (self.slopes[: inverse.shape[1]] * values).sum(dim=1) / contrast.clamp(min=_LEAST_CONTRAST)
        step = (inverse @ wanted.T[:, :, None])[:, :, 0]
        if affine:
            change = (step[:, 2:] / _RADIUS).clamp(-_LARGEST_CHANGE, _LARGEST_CHANGE).view(len(step), 2, 2)
            warps = warps - warps @ change
        return -(warps @ step[:, :2, None])[:, :, 0], warps

    def correlation(self, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor) -> torch.Tensor:
        """Return (M,) normalised cross-correlation of the patches with the image."""
        values = self._warped(image, points, warps)
        energy = (self.weights.T @ values.square())[0] + _TINY
        product: torch.Tensor = (self.weights.T @ (values * self.values))[0]
        return product / (energy * self.energy).sqrt()

    def _warped(self, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor) -> torch.Tensor:
        values = _sample(image[None], self.offsets, points, warps)[0]
        return values - self.weights.T @ values


def _disc() -> torch.Tensor:
    """Return (P, 2) places around a point, pixels."""
    side = torch.arange(-_RADIUS, _RADIUS + _STEP / 2, _STEP)
    places = torch.cartesian_prod(side, side)
    return places[places.square().sum(dim=1) <= _RADIUS**2]


def _damped_inverse(normal: torch.Tensor) -> torch.Tensor:
    damping = _DAMPING * normal.diagonal(dim1=1, dim2=2).mean(dim=1) + _TINY
    unit = torch.eye(normal.shape[1], device=normal.device)
    inverse: torch.Tensor = torch.linalg.inv(normal + damping[:, None, None] * unit)
    return inverse


def _with_gradient(image: torch.Tensor) -> torch.Tensor:
    """Return (3, H, W): the image and its central differences along x and y, 0 at the rim."""
    maps = torch.zeros(3, *image.shape, device=image.device)
    maps[0] = image
    maps[1, :, 1:-1] = (image[:, 2:] - image[:, :-2]) / 2
    maps[2, 1:-1] = (image[2:] - image[:-2]) / 2
    return maps


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
    size = points.new_tensor([width, height])
    # The whole change to grid coordinates in one product: the places of all samples are the largest arrays.
    centres = (points * 2 + 1) / size - 1
    scaled = (warps * (2 / size[:, None])).permute(2, 0, 1).reshape(2, 2 * len(points))
    grid = torch.addmm(centres.flatten(), offsets, scaled).view(1, len(offsets), len(points), 2)
    return grid_sample(maps[None], grid, padding_mode="border", align_corners=False)[0]
