# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Sub-pixel refinement of matches on the images themselves, and the test that both show the same.

Each match is the start of an inverse compositional Lucas-Kanade alignment (Baker and Matthews, IJCV 2004) of
a wide patch around the reference point: one step of translation, then an affine warp. It begins with the turn
and the change of scale that most matches share. From there a narrow patch under the same warp tells where the
point itself is: what else the wide one holds may lie at other depths and draw it along. Two views hardly
notice that, but a chain of depths does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.linalg import vector_norm

from drcn_ros.matching.common_warp import common_warp
from drcn_ros.matching.patches import ImageFeatures, Patches
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
        patches = Patches.of(reference.image, torch.from_numpy(matches.reference_points).to(device))
    start = common_warp(matches.reference_points, matches.current_points)
    aligned = align(
        patches,
        current.image,
        torch.from_numpy(matches.current_points).to(device),
        torch.from_numpy(start).to(device),
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
) -> Alignment:
    """Align patches of a reference image with the current image.

    Args:
        patches: around M points of the reference image.
        current: (H, W) smoothed current image.
        current_points: (M, 2) pixels, where the search starts.
        start: (2, 2) or (M, 2, 2) warp of the patches to start with; None leaves them as they are.
    """
    points = current_points.clone()
    warps = (torch.eye(2, device=points.device) if start is None else start).expand(len(points), 2, 2).clone()
    # Those still under way: their rows, patches, places and warps, and where they began.
    rows, moving = torch.arange(len(points), device=points.device), patches.wide
    place, warp, origin = points, warps, current_points
    steps = _TRANSLATION_STEPS + _AFFINE_STEPS
    on_cpu = points.device.type == "cpu"
    for step in range(steps):
        affine = step >= _TRANSLATION_STEPS
        move, warp = moving.update(current, place, warp, affine)
        # Beyond the farthest believable place nothing is gained by going on.
        offset = place + move - origin
        offset *= _FARTHEST / vector_norm(offset, dim=1, keepdim=True).clamp_(min=_FARTHEST)
        place = origin + offset
        # To know how many have arrived a GPU would have to be waited for; it goes on with all of them.
        if affine and step < steps - 1 and on_cpu:
            chosen = torch.nonzero(vector_norm(move, dim=1) > _ARRIVED)[:, 0]
            if len(chosen) < _WORTH_SELECTING * len(rows):
                points[rows], warps[rows] = place, warp
                rows, moving = rows[chosen], moving.select(chosen)
                place, warp, origin = place[chosen], warp[chosen], origin[chosen]
    points[rows], warps[rows] = place, warp
    correlation = patches.wide.correlation(current, points, warps)
    moved = vector_norm(points - current_points, dim=1)
    height, width = current.shape
    inside = ((points >= 0) & (points <= constant([width - 1, height - 1], points))).all(dim=1)
    good = (correlation >= _LEAST_CORRELATION) & (moved < 0.99 * _FARTHEST) & inside
    narrow = points
    for _ in range(_NARROW_STEPS):
        move, _ = patches.narrow.update(current, narrow, warps, affine=False)
        narrow = narrow + move.clamp(-_NARROW_MOVE, _NARROW_MOVE)
    return Alignment(points, correlation, patches.wide.deviations(correlation), good, narrow)
