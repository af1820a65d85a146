# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where to look at high resolution: probabilities of cell pairs from the cleaned coarse 4D correlation."""

from __future__ import annotations

import torch
from torch.nn.functional import max_pool2d

from drcn_ros.networks.correlation import correlate, mutual_matching
from drcn_ros.networks.separable_consensus import SeparableConsensus

# The consensus runs on the correlation reduced by two along each axis: same matches, a sixteenth of the work.
_POOL = 2


def coarse_log_probability(
    consensus: SeparableConsensus, reference: torch.Tensor, current: torch.Tensor
) -> torch.Tensor:
    """Return the log-probability that two cells show the same place, as seen from either image.

    Args:
        consensus: filter of the correlation.
        reference: (C, hA, wA) unit features.
        current: (C, hB, wB) unit features.

    Returns:
        (hA, wA, hB, wB), sum of the log-softmax over B and the log-softmax over A: at most 0.
    """
    correlation = correlate(reference[None], current[None])[0]
    logits = consensus.temperature * correlation
    height_a, width_a, height_b, width_b = (size // _POOL for size in correlation.shape)
    if min(height_a, width_a, height_b, width_b) > 0:
        inner = (
            slice(height_a * _POOL),
            slice(width_a * _POOL),
            slice(height_b * _POOL),
            slice(width_b * _POOL),
        )
        split = (height_a, _POOL, width_a, _POOL, height_b, _POOL, width_b, _POOL)
        pooled = correlation[inner].reshape(split).amax((1, 3, 5, 7))
        cleaned = consensus(mutual_matching(pooled.relu()[None])[None])[0, 0]
        spread = cleaned[:, None, :, None, :, None, :, None].expand(split)
        logits[inner] += consensus.gain * spread.reshape(correlation[inner].shape)
    matrix = logits.flatten(2).flatten(0, 1)
    matrix = matrix.log_softmax(dim=0) + matrix.log_softmax(dim=1)
    return matrix.view(correlation.shape)


def widened(log_probability: torch.Tensor) -> torch.Tensor:
    """Return the maximum over 3x3 neighbours in B: a point near a border may fall into either cell."""
    shape = log_probability.shape
    return max_pool2d(log_probability.flatten(0, 1)[:, None], 3, stride=1, padding=1).view(shape)
