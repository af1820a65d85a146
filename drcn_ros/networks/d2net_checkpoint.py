# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Published weights for D2-Net: the authors' checkpoints, and VGG16 of torchvision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from drcn_ros.networks.weight_file import WeightFile

_AUTHORS_PREFIX = "dense_feature_extraction.model."
_TORCHVISION_PREFIX = "features."
# torchvision's VGG16 goes on after conv4_3, which is its layer 21.
_LAST_LAYER = 21


def recognise(state: Mapping[str, torch.Tensor], arguments: Mapping[str, Any]) -> WeightFile | None:
    """Return what a checkpoint holds when it is D2-Net's or torchvision's VGG16, else None."""
    if any(name.startswith(_AUTHORS_PREFIX) for name in state):
        return WeightFile("d2net", {"preprocessing": "caffe"}, state, name_in_file=_authors_name)
    if f"{_TORCHVISION_PREFIX}0.weight" in state and f"{_TORCHVISION_PREFIX}28.weight" in state:
        tensors = {name: tensor for name, tensor in state.items() if _is_needed(name)}
        return WeightFile("d2net", {"preprocessing": "torch"}, tensors, name_in_file=_torchvision_name)
    return None


def _is_needed(name: str) -> bool:
    kind, _, rest = name.partition(".")
    return kind == "features" and int(rest.partition(".")[0]) <= _LAST_LAYER


def _authors_name(name: str) -> str:
    return _AUTHORS_PREFIX + name.removeprefix("trunk.")


def _torchvision_name(name: str) -> str:
    return _TORCHVISION_PREFIX + name.removeprefix("trunk.")
