# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What the matchers on DRCN share: the network, and one pass of it per image."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from drcn_ros.matching.base import Matcher, check_image
from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.device import choose_device
from drcn_ros.matching.drcn_features import demand_of, extract_compact, extract_published, load_drcn
from drcn_ros.matching.memory import MemoryGuard
from drcn_ros.matching.patches import ImageFeatures
from drcn_ros.networks.compact import CompactNetwork


class DrcnBase(Matcher[ImageFeatures]):
    """A matcher on the compact network, or on the published one where the weight file is for that.

    Raises:
        ConfigurationError: the device is not there.
        WeightsError: the weight file is unusable or for another method.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__(config)
        self._device = choose_device(config.device)
        self._network = load_drcn(config, self._device)
        self._guard = MemoryGuard(self.name, demand_of(self._network), self._device)

    @torch.inference_mode()
    def extract(self, image: NDArray[np.uint8], kept: NDArray[np.bool_] | None = None) -> ImageFeatures:
        """Return keypoints and features at both resolutions of an image.

        Raises:
            ImageError: the array has another shape or type.
            OutOfMemoryError: memory does not suffice for matching images of this size.
        """
        check_image(image)
        self._guard.check(image.shape[1], image.shape[0])
        count = self.config.max_keypoints
        if isinstance(self._network, CompactNetwork):
            return extract_compact(self._network, image, count, self._device, kept)
        return extract_published(self._network, image, count, self._device, kept)
