# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sub-pixel refinement of matches on the images themselves, and the test that both show the same.

Each match is the start of an inverse compositional Lucas-Kanade alignment (Baker and Matthews, IJCV 2004) of
the patch around the reference point: two steps of translation, then an affine warp. Brightness and contrast
are projected out of the template's gradients, so they may differ between the images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import grid_sample, pad

from drcn_ros.matching.types import Matches

# Patch: half side and step between samples, pixels; weight falls to the rim as a Gaussian.
_RADIUS = 12.0
_STEP = 3.0
_DEVIATION = 0.6 * _RADIUS
# Standard deviation in pixels of the smoothing that the step between samples needs.
_SMOOTHING = 1.2
_TRANSLATION_STEPS = 2
_AFFINE_STEPS = 5
# A point that moves less than this in one step, pixels, has arrived.
_ARRIVED = 0.02
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
    template = _Template(reference, reference_points)
    points = current_points.clone()
    warps = torch.eye(2, device=points.device).repeat(len(points), 1, 1)
    active = torch.arange(len(points), device=points.device)
    for step in range(_TRANSLATION_STEPS + _AFFINE_STEPS):
        affine = step >= _TRANSLATION_STEPS
        move, change = template.update(current, active, points[active], warps[active], affine)
        warps[active] = warps[active] @ change
        # Beyond the farthest believable place nothing is gained by going on.
        offsets = points[active] + move - current_points[active]
        offsets = offsets * (_FARTHEST / offsets.norm(dim=1, keepdim=True).clamp(min=_FARTHEST))
        points[active] = current_points[active] + offsets
        if affine:
            active = active[move.norm(dim=1) > _ARRIVED]
    correlation = template.correlation(current, points, warps)
    moved = (points - current_points).norm(dim=1)
    height, width = current.shape
    inside = ((points >= 0) & (points <= points.new_tensor([width - 1, height - 1]))).all(dim=1)
    good = (correlation >= _LEAST_CORRELATION) & (moved < 0.99 * _FARTHEST) & inside
    return Alignment(points, correlation, good)


class _Template:
    """Patches of the reference image and the steps that a difference to them asks for."""

    def __init__(self, image: torch.Tensor, points: torch.Tensor) -> None:
        side = torch.arange(-_RADIUS, _RADIUS + _STEP / 2, _STEP, device=image.device)
        y, x = torch.meshgrid(side, side, indexing="ij")
        self._offsets = torch.stack([x.flatten(), y.flatten()], dim=1)
        weights = torch.exp(-self._offsets.square().sum(dim=1) / (2 * _DEVIATION**2))
        self._weights = weights / weights.sum()
        values, slope_x, slope_y = _sample(_with_gradient(image), points[:, None] + self._offsets)
        x, y = (self._offsets / _RADIUS).T
        slopes = torch.stack([slope_x, slope_y, slope_x * x, slope_x * y, slope_y * x, slope_y * y], dim=1)
        self._values = self._centred(values)
        self._energy = (self._values.square() * self._weights).sum(dim=1) + _TINY
        # What looks like a change of brightness or of contrast must not move the point.
        slopes = self._centred(slopes)
        contrast = (slopes * self._weights) @ self._values[:, :, None] / self._energy[:, None, None]
        slopes = slopes - contrast * self._values[:, None]
        self._translation = self._solution(slopes[:, :2])
        self._affine = self._solution(slopes)

    def update(
        self,
        image: torch.Tensor,
        chosen: torch.Tensor,
        points: torch.Tensor,
        warps: torch.Tensor,
        affine: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the step of the points (N, 2) and the factor of the warps (N, 2, 2) for chosen patches."""
        values = self._warped(image, points, warps)
        contrast = (values * self._values[chosen] * self._weights).sum(dim=1) / self._energy[chosen]
        relative = values / contrast.clamp(min=_LEAST_CONTRAST)[:, None]
        solution = self._affine if affine else self._translation
        step = (solution[chosen] @ relative[:, :, None])[:, :, 0]
        change = torch.eye(2, device=image.device).repeat(len(step), 1, 1)
        if affine:
            change = change - (step[:, 2:] / _RADIUS).clamp(-_LARGEST_CHANGE, _LARGEST_CHANGE).view(-1, 2, 2)
        return -(warps @ change @ step[:, :2, None])[:, :, 0], change

    def correlation(self, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor) -> torch.Tensor:
        """Return (M,) normalised cross-correlation of all patches with the image."""
        values = self._warped(image, points, warps)
        energy = (values.square() * self._weights).sum(dim=1) + _TINY
        product: torch.Tensor = (values * self._values * self._weights).sum(dim=1)
        return product / (energy * self._energy).sqrt()

    def _warped(self, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor) -> torch.Tensor:
        # One product for all patches: rows of the offsets times the warps side by side.
        moved = self._offsets @ warps.permute(2, 0, 1).reshape(2, -1)
        places = (moved.view(len(self._offsets), -1, 2) + points).transpose(0, 1)
        return self._centred(_sample(image[None], places)[0])

    def _centred(self, values: torch.Tensor) -> torch.Tensor:
        return values - (values @ self._weights)[..., None]

    def _solution(self, slopes: torch.Tensor) -> torch.Tensor:
        """Return (M, K, P): the weighted least squares step per unit of difference in each sample."""
        weighted = slopes * self._weights
        normal = weighted @ slopes.transpose(1, 2)
        damping = _DAMPING * normal.diagonal(dim1=1, dim2=2).mean(dim=1) + _TINY
        unit = torch.eye(normal.shape[1], device=slopes.device)
        inverse: torch.Tensor = torch.linalg.inv(normal + damping[:, None, None] * unit)
        return inverse @ weighted


def _with_gradient(image: torch.Tensor) -> torch.Tensor:
    """Return (3, H, W): the image and its central differences along x and y, 0 at the rim."""
    maps = torch.zeros(3, *image.shape, device=image.device)
    maps[0] = image
    maps[1, :, 1:-1] = (image[:, 2:] - image[:, :-2]) / 2
    maps[2, 1:-1] = (image[2:] - image[:-2]) / 2
    return maps


def _sample(maps: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return (C, M, P) bilinear samples of (C, H, W) at (M, P, 2) pixels; the rim is continued outside."""
    height, width = maps.shape[-2:]
    grid = (2 * places + 1) / places.new_tensor([width, height]) - 1
    return grid_sample(maps[None], grid[None], padding_mode="border", align_corners=False)[0]
