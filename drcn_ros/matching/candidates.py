# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Matches on a GPU until they are complete: rows that are none stay, marked, so that the host waits once.

To leave rows out a GPU would have to tell how many are left. On a CPU that costs nothing, and less is left to
be computed: there matches are `Matches` from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.matching.alignment import align, align_matches
from drcn_ros.matching.device_warp import device_warp
from drcn_ros.matching.filling import among
from drcn_ros.matching.nearest import MutualPairs
from drcn_ros.matching.patches import ImageFeatures, Patches
from drcn_ros.matching.types import Features, Matches


@dataclass(frozen=True)
class Candidates:
    """N rows of which some are matches.

    Attributes:
        reference_points, current_points: (N, 2) pixels.
        scores: (N,).
        reference_index, current_index: (N,) int64, rows of the keypoints, or -1.
        good: (N,) bool, which rows are matches.
        narrow_points: (N, 2) as in `Matches`, or None.
        imprecise: (N,) bool, which rows are imprecise matches, or None.
    """

    reference_points: torch.Tensor
    current_points: torch.Tensor
    scores: torch.Tensor
    reference_index: torch.Tensor
    current_index: torch.Tensor
    good: torch.Tensor
    narrow_points: torch.Tensor | None = None
    imprecise: torch.Tensor | None = None

    @classmethod
    def of_pairs(
        cls,
        reference: Features,
        current: Features,
        pairs: MutualPairs,
        scores: torch.Tensor,
        good: torch.Tensor,
    ) -> Candidates:
        """Return a row for each keypoint of the reference image.

        Args:
            reference, current: what is matched.
            pairs: one for each reference keypoint, in their order.
            scores: (N,) of the pairs.
            good: (N,) bool, which of them are matches.
        """
        index = pairs.current_index
        points = current.points[index]
        return cls(reference.points, points, scores, pairs.reference_index, index, good)

    def refined(self, patches: Patches, current: ImageFeatures) -> Candidates:
        """Return the candidates refined on the images, as `align_matches` does; it leaves out the same.

        Args:
            patches: around the reference points.
            current: features of the current image.
        """
        start = device_warp(self.reference_points, self.current_points, self.scores, self.good)
        aligned = align(patches, current.image, self.current_points, start, current.detail)
        scores = aligned.scores(self.scores)
        good = self.good & aligned.good
        kept = aligned.kept(scores, good)
        return replace(
            self,
            current_points=aligned.points,
            scores=scores,
            good=kept,
            narrow_points=aligned.narrow,
            imprecise=good & ~kept,
        )

    def on_host(self, *features: Features) -> Matches:
        """Return those that are matches, best first; the host waits here.

        Args:
            features: those whose keypoints the host has not seen come over with the matches.
        """
        unseen = [one for one in features if "on_host" not in one.__dict__]
        kind = self.good.float()
        if self.imprecise is not None:
            kind = kind + 2 * self.imprecise.float()
        columns = [self.scores, kind, self.reference_index, self.current_index]
        if self.narrow_points is not None:
            columns += self.narrow_points.unbind(dim=1)
        rows = torch.cat(
            [self.reference_points, self.current_points, *(column.float()[:, None] for column in columns)],
            dim=1,
        )
        tables = [rows, *(one.rows() for one in unseen)]
        numbers = torch.cat([table.flatten() for table in tables]).cpu().numpy()
        ends = np.cumsum([table.numel() for table in tables])[:-1]
        found, *keypoints = (
            part.reshape(table.shape) for part, table in zip(np.split(numbers, ends), tables, strict=True)
        )
        for one, table in zip(unseen, keypoints, strict=True):
            # What `on_host` would ask for anew.
            one.__dict__["on_host"] = one.of_host(table)
        found = found[np.argsort(-found[:, 4], kind="stable")]
        matches = _of_rows(found[found[:, 5] == 1], self.narrow_points is not None)
        if self.imprecise is None:
            return matches
        return replace(matches, imprecise=_of_rows(found[found[:, 5] == 2], self.narrow_points is not None))


def _of_rows(found: NDArray[np.float32], narrow: bool) -> Matches:
    """Return matches of rows (N, 8), or (N, 10) with narrow points; single precision holds every index."""
    return Matches(
        reference_points=np.ascontiguousarray(found[:, :2]),
        current_points=np.ascontiguousarray(found[:, 2:4]),
        scores=np.ascontiguousarray(found[:, 4]),
        reference_index=found[:, 6].astype(np.int64),
        current_index=found[:, 7].astype(np.int64),
        narrow_points=np.ascontiguousarray(found[:, 8:10]) if narrow else None,
    )


def matches_of_pairs(
    reference: ImageFeatures,
    current: ImageFeatures,
    pairs: tuple[MutualPairs, torch.Tensor],
    measure: Callable[[MutualPairs], torch.Tensor],
    min_score: float,
    refine: bool,
) -> Matches:
    """Return the pairs that are matches, refined if wanted, best first.

    Args:
        reference, current: what is matched.
        pairs: each reference keypoint's best one, and which of these (N,) are mutual.
        measure: gives scores (N,).
        min_score: least score, before the refinement.
        refine: on the images.
    """
    best, mutual = pairs
    if len(reference.points) == 0 or len(current.points) == 0:
        return Matches.empty()
    if mutual.device.type == "cpu":
        best = best.select(mutual)
        matches = Matches.of_pairs(reference, current, best, measure(best), min_score)
        return align_matches(reference, current, matches) if refine else matches
    scores = measure(best)
    good = among(mutual & (scores >= min_score), reference.real)
    found = Candidates.of_pairs(reference, current, best, scores, good)
    return (found.refined(reference.patches, current) if refine else found).on_host(reference, current)
