# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sub-pixel refinement of matches on the images themselves, and the test that both show the same.

Each match is the start of an inverse compositional Lucas-Kanade alignment (Baker and Matthews, IJCV 2004) of
a wide patch around the reference point: one step of translation, then an affine warp. It begins with the turn
and the change of scale that most matches share. From there a narrow patch under the same warp tells where the
point itself is: what else the wide one holds may lie at other depths and draw it along. Two views hardly
notice that, but a chain of depths does. Where an image was reduced before it was matched, patches of a larger
one, which the two show the same of, end the search.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.linalg import vector_norm

from drcn_ros.matching.common_warp import common_warp
from drcn_ros.matching.discs import Discs
from drcn_ros.matching.patches import ImageFeatures, Patches, enlarge, size_ratio
from drcn_ros.matching.types import Matches
from drcn_ros.networks.constants import constant

_TRANSLATION_STEPS = 1
_AFFINE_STEPS = 3
# Steps of the narrow patch, and how far each may move a point along an axis, pixels.
_NARROW_STEPS, _NARROW_MOVE = 2, 1.0
# A point that moves less than this in one step, pixels, has arrived.
_ARRIVED = 0.02
# Share of the points below which going on with those alone is worth picking them.
_WORTH_SELECTING = 0.6
# Farthest move in pixels, and least correlation of the patches, of a match that is believed.
_FARTHEST = 3.0
_LEAST_CORRELATION = 0.6
# The odds that a match is right fall with this power of its deviation (fitted on a road and on rooms).
# A deviation below the least, or a score above the largest, says no more than these.
_POWER = 2.5
_LEAST_DEVIATION = 0.05
_LARGEST_SCORE = 1 - 1e-4
# Deviation beyond which one match in three is a pixel off, and how many matches are kept in any case: where
# there are few, each helps.
_IMPRECISE = 2.0
_ENOUGH = 200
# Steps in a larger image, and what of them is believed: the farthest move in its pixels, and the least
# correlation. It is close already, and what its small patches show must be unmistakable.
_DETAIL_STEPS = 2
_DETAIL_MOVE = 1.0
_DETAIL_CORRELATION = 0.9


@dataclass(frozen=True)
class Alignment:
    """Outcome of the alignment of M matches.

    Attributes:
        points: (M, 2) refined points of the current image, pixels.
        correlation: (M,) normalised cross-correlation of the aligned wide patches, in [-1, 1].
        deviation: (M,) how far the point may be off, see `Discs.deviations`.
        good: (M,) bool, the alignment stayed in the image and close to its start, and the patches agree.
        narrow: (M, 2) points that narrow patches find from there, pixels.
    """

    points: torch.Tensor
    correlation: torch.Tensor
    deviation: torch.Tensor
    good: torch.Tensor
    narrow: torch.Tensor

    def scores(self, before: torch.Tensor) -> torch.Tensor:
        """Return scores (M,) whose odds are divided by a power of the deviation."""
        known = before.clamp(max=_LARGEST_SCORE)
        unsure = self.deviation.clamp(min=_LEAST_DEVIATION).pow(_POWER)
        return known / (known + (1 - known) * unsure)

    def kept(self, scores: torch.Tensor, good: torch.Tensor) -> torch.Tensor:
        """Return which (M,) of the good ones stay: the precise ones, and the best of the others up to enough.

        The host waits for nothing here.
        """
        precise = good & (self.deviation <= _IMPRECISE)
        others = good & ~precise
        room = (_ENOUGH - precise.sum()).clamp(min=0)
        order = torch.where(others, scores, -torch.inf).argsort(descending=True, stable=True)
        rank = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))
        return precise | (others & (rank < room))


def align_matches(reference: ImageFeatures, current: ImageFeatures, matches: Matches) -> Matches:
    """Return the matches with refined current points, best first.

    The odds of a score are divided by a power of the deviation of the point. What is left out: matches whose
    patches disagree and, where there are enough without them, those whose place the image hardly tells, which
    become the `imprecise` ones.

    Args:
        reference: features of the reference image.
        current: features of the current image.
        matches: what to refine.
    """
    if len(matches) == 0:
        return matches
    device = reference.image.device
    if (matches.reference_index >= 0).all():
        patches = reference.patches.select(torch.from_numpy(matches.reference_index).to(device))
    else:
        patches = reference.patches_at(torch.from_numpy(matches.reference_points).to(device))
    start = common_warp(matches.reference_points, matches.current_points)
    aligned = align(
        patches,
        current.image,
        torch.from_numpy(matches.current_points).to(device),
        torch.from_numpy(start).to(device),
        current.detail,
    )
    told = aligned.scores(torch.from_numpy(matches.scores).to(device))
    kept = aligned.kept(told, aligned.good).cpu().numpy()
    good, scores = aligned.good.cpu().numpy(), told.cpu().numpy()
    points, narrow = aligned.points.cpu().numpy(), aligned.narrow.cpu().numpy()
    order = np.argsort(-scores, kind="stable")

    def chosen(rows: NDArray[np.int64], imprecise: Matches | None = None) -> Matches:
        return Matches(
            reference_points=matches.reference_points[rows],
            current_points=points[rows],
            scores=scores[rows],
            reference_index=matches.reference_index[rows],
            current_index=matches.current_index[rows],
            narrow_points=narrow[rows],
            imprecise=imprecise,
        )

    return chosen(order[kept[order]], chosen(order[(good & ~kept)[order]]))


def align(
    patches: Patches,
    current: torch.Tensor,
    current_points: torch.Tensor,
    start: torch.Tensor | None = None,
    detail: torch.Tensor | None = None,
) -> Alignment:
    """Align patches of a reference image with the current image.

    Args:
        patches: around M points of the reference image.
        current: (H, W) smoothed current image.
        current_points: (M, 2) pixels, where the search starts.
        start: (2, 2) or (M, 2, 2) warp of the patches to start with; None leaves them as they are.
        detail: (H', W') the smoothed larger image that the current one was reduced from: where the patches
            have theirs, too, the places are those that it shows.
    """
    turn = torch.eye(2, device=current_points.device) if start is None else start
    turn = turn.expand(len(current_points), 2, 2)
    points, warps = _followed(patches.wide, current, current_points, turn, _TRANSLATION_STEPS, _AFFINE_STEPS)
    correlation = patches.wide.correlation(current, points, warps)
    moved = vector_norm(points - current_points, dim=1)
    height, width = current.shape
    inside = ((points >= 0) & (points <= constant([width - 1, height - 1], points))).all(dim=1)
    good = (correlation >= _LEAST_CORRELATION) & (moved < 0.99 * _FARTHEST) & inside
    narrow = _narrowed(patches.narrow, current, points, warps)
    found = Alignment(points, correlation, patches.wide.deviations(correlation), good, narrow)
    if detail is None or patches.detail is None:
        return found
    return _placed(found, warps, patches.detail, detail.float(), size_ratio(detail, current, points))


def _placed(
    found: Alignment, warps: torch.Tensor, patches: Patches, detail: torch.Tensor, factors: torch.Tensor
) -> Alignment:
    """Return an alignment with the places that a larger image shows, where they are certain.

    Patches of so many pixels are smaller parts of the scene there, so the warps stay as they are.

    Args:
        found: with the smaller image.
        warps: (M, 2, 2) from it.
        patches: of the larger reference image.
        detail: (H', W') smoothed larger current image.
        factors: (2,) how many times as large as the smaller one it is.
    """
    assert patches.factors is not None
    warps = factors[:, None] * warps / patches.factors
    start = enlarge(found.points, factors)
    points, _ = _followed(patches.wide, detail, start, warps, _DETAIL_STEPS, 0)
    certain = patches.wide.correlation(detail, points, warps) >= _DETAIL_CORRELATION
    certain &= vector_norm(points - start, dim=1) < _DETAIL_MOVE
    narrow = _narrowed(patches.narrow, detail, points, warps)
    places, narrow_places = (
        torch.where(certain[:, None], enlarge(new, 1 / factors), old)
        for new, old in ((points, found.points), (narrow, found.narrow))
    )
    return replace(found, points=places, narrow=narrow_places)


def _followed(
    discs: Discs,
    image: torch.Tensor,
    start: torch.Tensor,
    warps: torch.Tensor,
    translations: int,
    affine: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where wide patches come to (M, 2), and under which warps (M, 2, 2).

    Args:
        discs: the patches.
        image: (H, W) smoothed.
        start: (M, 2) pixels.
        warps: (M, 2, 2) to start with.
        translations, affine: steps of each kind, in this order.
    """
    points, warps = start.clone(), warps.clone()
    # Those still under way: their rows, patches, places and warps, and where they began.
    rows, moving = torch.arange(len(points), device=points.device), discs
    place, warp, origin = points, warps, start
    steps = translations + affine
    on_cpu = points.device.type == "cpu"
    for step in range(steps):
        move, warp = moving.update(image, place, warp, affine=step >= translations)
        # Beyond the farthest believable place nothing is gained by going on.
        offset = place + move - origin
        offset *= _FARTHEST / vector_norm(offset, dim=1, keepdim=True).clamp_(min=_FARTHEST)
        place = origin + offset
        # To know how many have arrived a GPU would have to be waited for; it goes on with all of them.
        if translations <= step < steps - 1 and on_cpu:
            chosen = torch.nonzero(vector_norm(move, dim=1) > _ARRIVED)[:, 0]
            if len(chosen) < _WORTH_SELECTING * len(rows):
                points[rows], warps[rows] = place, warp
                rows, moving = rows[chosen], moving.select(chosen)
                place, warp, origin = place[chosen], warp[chosen], origin[chosen]
    points[rows] = place
    if affine:
        warps[rows] = warp
    return points, warps


def _narrowed(discs: Discs, image: torch.Tensor, points: torch.Tensor, warps: torch.Tensor) -> torch.Tensor:
    """Return where narrow patches come to (M, 2) from the points of the wide ones, under their warps."""
    for _ in range(_NARROW_STEPS):
        move, _ = discs.update(image, points, warps, affine=False)
        points = points + move.clamp(-_NARROW_MOVE, _NARROW_MOVE)
    return points
