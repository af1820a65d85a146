# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The compact network together with its loss: one module, whose gradient processes can share."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from drcn_ros.networks.compact import CompactNetwork
from drcn_ros.training.config import LossConfig
from drcn_ros.training.losses import Losses, compact_losses
from drcn_ros.training.pairs import PairBatch


class CompactObjective(nn.Module):
    """Loss of the compact network on a batch of pairs.

    Args:
        network: what is trained.
        config: weights of the terms.
        reduced: the type that the network, but not the loss, runs in; None for float32.
    """

    def __init__(
        self, network: CompactNetwork, config: LossConfig, reduced: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self._config = config
        self._reduced = reduced
        # Matching does not use it; without a gradient it must not wait for one.
        network.detail_temperature.requires_grad_(False)

    def forward(self, pairs: PairBatch, generator: torch.Generator, step: int) -> tuple[torch.Tensor, Losses]:
        """Return the loss of a step and its parts."""
        images = torch.cat([pairs.first, pairs.second]).contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, self._reduced, enabled=self._reduced is not None):
            maps = self.network(images)
        losses = compact_losses(self.network, maps, pairs, self._config, generator)
        return losses.total(self._weights(step)), losses

    def _weights(self, step: int) -> LossConfig:
        early = step < self._config.position_from
        return replace(self._config, position=0.0) if early else self._config
