# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Keypoints of a GPU that only fill up, see `strongest_maxima`: sizes do not depend on the image.

Nothing has to ask how many keypoints there are until the host wants them, which is when it wants the matches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import torch

from drcn_ros.matching.types import Features

FeaturesT = TypeVar("FeaturesT", bound=Features)

# Added to logits: far below all others, yet finite, so that no difference of two is undefined.
_SHUT_OUT = -1e4


def marked(features: FeaturesT) -> FeaturesT:
    """Return features that tell which keypoints only fill up: those of score 0. On a CPU none does."""
    if features.points.device.type == "cpu":
        return features
    return replace(features, real=features.scores > 0)


def shut_out(logits: torch.Tensor, rows: torch.Tensor | None, columns: torch.Tensor | None) -> torch.Tensor:
    """Lower, in place, the logits (N, M) of what is no keypoint, so that it takes no part; return them.

    Args:
        logits: of pairs.
        rows, columns: (N,) and (M,) bool, what is a keypoint, or None where all are.
    """
    if rows is not None:
        logits += (~rows[:, None]).to(logits.dtype) * _SHUT_OUT
    if columns is not None:
        logits += (~columns).to(logits.dtype) * _SHUT_OUT
    return logits


def among(good: torch.Tensor, real: torch.Tensor | None) -> torch.Tensor:
    """Return which rows (N,) hold for keypoints that are some."""
    return good if real is None else good & real
