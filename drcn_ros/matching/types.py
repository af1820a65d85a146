# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a matcher takes and gives. Points are (x, y) pixels, the centre of the top-left pixel is (0, 0)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

# Torch takes seconds to load, and much that handles matches needs none of it.
if TYPE_CHECKING:
    import torch

    from drcn_ros.matching.nearest import MutualPairs


@dataclass(frozen=True)
class Keypoints:
    """Keypoints of one image on the host.

    Attributes:
        points: (N, 2) float32, pixels of the image as received.
        scores: (N,) float32, detection score; larger is better, not calibrated.
        scales: (N,) float32, size of the keypoint in pixels.
        descriptors: (N, C) float32 of unit length, or None where the method has none.
    """

    points: NDArray[np.float32]
    scores: NDArray[np.float32]
    scales: NDArray[np.float32]
    descriptors: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.points)

    def select(self, rows: NDArray[np.bool_]) -> Keypoints:
        """Return the keypoints for which `rows` (N,) holds."""
        descriptors = None if self.descriptors is None else self.descriptors[rows]
        return Keypoints(self.points[rows], self.scores[rows], self.scales[rows], descriptors)

    @classmethod
    def of_rows(cls, rows: NDArray[np.float32]) -> Keypoints:
        """Return keypoints from rows (N, 4) of x, y, score and scale."""
        points, scores, scales = rows[:, :2], rows[:, 2], rows[:, 3]
        return cls(*(np.ascontiguousarray(part) for part in (points, scores, scales)))


@dataclass(frozen=True)
class Features:
    """Everything that a matcher keeps of one image, on its device; computed once, matched many times.

    Matchers extend it with their own maps.

    Attributes:
        size: (width, height) of the image as received.
        points: (N, 2) float32 tensor, pixels of the image as received.
        scores: (N,) float32 tensor.
        scales: (N,) float32 tensor.
        descriptors: (N, C) tensor of unit length, or None.
        real: (N,) bool tensor, which rows are keypoints; the others come last and fill up. None: all are.
    """

    size: tuple[int, int]
    points: torch.Tensor
    scores: torch.Tensor
    scales: torch.Tensor
    descriptors: torch.Tensor | None
    real: torch.Tensor | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.points if self.real is None else self.on_host)

    @property
    def pixel(self) -> float:
        """Side of a pixel of the image that matches are refined on, in pixels of the image as received."""
        return 1.0

    @property
    def matchable(self) -> bool:
        """Whether a matcher takes them: those that are only kept `for_search` it does not."""
        return True

    def for_search(self) -> Features:
        """Return what `find_points` needs of an image that is not matched any more."""
        return self

    def moved(self, rows: NDArray[np.int64], points: NDArray[np.float32]) -> Features:
        """Return features some keypoints of which lie a few pixels from where they were detected.

        Descriptors and scores stay: so near they still tell the point from others.

        Args:
            rows: (K,) of the keypoints.
            points: (K, 2) their new places, pixels of the image as received.
        """
        import torch

        places = self.points.clone()
        places[torch.from_numpy(rows).to(places.device)] = torch.from_numpy(points).to(places)
        return replace(self, points=places)

    def keypoints(self, with_descriptors: bool = False) -> Keypoints:
        """Return the keypoints as numpy arrays."""
        if not with_descriptors or self.descriptors is None:
            return self.on_host
        descriptors = self.descriptors[: len(self.on_host)].float().cpu().numpy()
        return replace(self.on_host, descriptors=descriptors)

    @cached_property
    def on_host(self) -> Keypoints:
        """The keypoints as numpy arrays without descriptors, brought over when they are first asked for."""
        if self.points.device.type == "cpu":
            points, scores, scales = (
                part.float().numpy() for part in (self.points, self.scores, self.scales)
            )
            return Keypoints(points, scores, scales)
        return self.of_host(self.rows().cpu().numpy())

    def rows(self) -> torch.Tensor:
        """Return the keypoints, and what fills up, as rows (N, 4) of x, y, score and scale."""
        import torch

        return torch.cat([self.points, self.scores[:, None], self.scales[:, None]], dim=1).float()

    def of_host(self, rows: NDArray[np.float32]) -> Keypoints:
        """Return the keypoints from what `rows` gave, brought to the host."""
        count = len(rows) if self.real is None else int((rows[:, 2] > 0).sum())
        return Keypoints.of_rows(rows[:count])


@dataclass(frozen=True)
class Matches:
    """Correspondences of a reference and a current image, best first.

    A dense method finds places that no detector marked: the index of such a point is -1.

    Attributes:
        reference_points: (M, 2) float32, pixels of the reference image as received.
        current_points: (M, 2) float32, pixels of the current image as received.
        scores: (M,) float32, descending, in [0, 1] where the method is calibrated.
        reference_index: (M,) int64, row in the reference keypoints, or -1.
        current_index: (M,) int64, row in the current keypoints, or -1.
        narrow_points: (M, 2) float32, current points by a narrow patch around the reference point, pixels, or
            None where matches are not refined. Less precise than `current_points`, but where the depth of the
            scene changes around the point they are not drawn along by what lies beside it.
        imprecise: further matches whose places the images hardly tell, or None. They are left out above, for
            between two views they only blur what the others say; who has many views of a point gains by them.
    """

    reference_points: NDArray[np.float32]
    current_points: NDArray[np.float32]
    scores: NDArray[np.float32]
    reference_index: NDArray[np.int64]
    current_index: NDArray[np.int64]
    narrow_points: NDArray[np.float32] | None = None
    imprecise: Matches | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Matches:
        """Return the matches that `rows`, a mask or indices, selects, without the imprecise ones."""
        return Matches(
            self.reference_points[rows],
            self.current_points[rows],
            self.scores[rows],
            self.reference_index[rows],
            self.current_index[rows],
            None if self.narrow_points is None else self.narrow_points[rows],
        )

    def with_imprecise(self) -> Matches:
        """Return these matches and the imprecise ones, best first."""
        more = self.imprecise
        if more is None or not len(more):
            return self
        order = np.argsort(-np.concatenate([self.scores, more.scores]), kind="stable")
        narrow = None
        if self.narrow_points is not None and more.narrow_points is not None:
            narrow = np.concatenate([self.narrow_points, more.narrow_points])[order]
        return Matches(
            np.concatenate([self.reference_points, more.reference_points])[order],
            np.concatenate([self.current_points, more.current_points])[order],
            np.concatenate([self.scores, more.scores])[order],
            np.concatenate([self.reference_index, more.reference_index])[order],
            np.concatenate([self.current_index, more.current_index])[order],
            narrow,
        )

    @classmethod
    def empty(cls) -> Matches:
        """Return the result of a pair without correspondences."""
        points = np.zeros((0, 2), np.float32)
        index = np.zeros(0, np.int64)
        return cls(points, points, np.zeros(0, np.float32), index, index)

    @classmethod
    def of_pairs(
        cls,
        reference: Features,
        current: Features,
        pairs: MutualPairs,
        scores: torch.Tensor,
        min_score: float,
    ) -> Matches:
        """Return matches between keypoints, those below `min_score` dropped, best first."""
        import torch

        order = torch.argsort(scores, descending=True, stable=True)
        order = order[scores[order] >= min_score]
        reference_index, current_index = pairs.reference_index[order], pairs.current_index[order]
        return cls(
            reference.points[reference_index].float().cpu().numpy(),
            current.points[current_index].float().cpu().numpy(),
            scores[order].float().cpu().numpy(),
            reference_index.cpu().numpy(),
            current_index.cpu().numpy(),
        )
