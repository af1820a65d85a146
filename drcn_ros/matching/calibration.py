# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From scores that order matches to the probability that a match is right.

What a match's score says depends on how the method makes it, so each method has its own two numbers, which
come with the weights: slope and bias of the logit, as in Platt's scaling (Platt, 1999). `drcn train` fits
them. The order of the matches stays.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import nn

from drcn_ros.matching.config import MatcherConfig
from drcn_ros.matching.types import Matches
from drcn_ros.networks.compact import CompactNetwork

# Keeps the logit of the scores 0 and 1 finite.
LEAST = 1e-6


def entry_name(method: str, refine: bool) -> str:
    """Return the name in `CompactConfig.calibration` of a method with or without refinement."""
    return method if refine else f"{method} unrefined"


def probability(scores: torch.Tensor, slope: float, bias: float) -> torch.Tensor:
    """Return scores (M,) in [0, 1] mapped to probabilities; a slope above 0 keeps their order."""
    logits = scores.double().clamp(LEAST, 1 - LEAST).logit()
    return (slope * logits + bias).sigmoid().to(scores.dtype)


def calibrate(matches: Matches, network: nn.Module, config: MatcherConfig) -> Matches:
    """Return the matches with probabilities as scores, or as they are where the weights know none."""
    if not isinstance(network, CompactNetwork):
        return matches
    entry = network.config.calibration.get(entry_name(config.name, config.refine))
    if entry is None:
        return matches
    more = matches.imprecise
    return dataclasses.replace(
        matches,
        scores=probability(torch.from_numpy(matches.scores), *entry).numpy(),
        imprecise=None if more is None else calibrate(more, network, config),
    )
