# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Published weights for DRCN: the authors' checkpoints, and ResNet-101 of torchvision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from drcn_ros.networks.drcn import DRCN, DRCNConfig
from drcn_ros.networks.weight_file import WeightFile

_FEATURES = "FeatureExtraction."
_CONSENSUS = "NeighConsensus.conv."
# The authors' ResNet is three sequences; the first holds the stem as well, by position.
_TRUNK = {
    "conv1": "extractor_list.0.0",
    "bn1": "extractor_list.0.1",
    "layer1": "extractor_list.0.4",
    "layer2": "extractor_list.1.0",
    "layer3": "extractor_list.2.0",
}
# Heads of the variant with a coarse projection and of the one without.
_HEADS_256 = {
    "lateral4": "inner_block_list.0",
    "lateral3": "inner_block_list.1",
    "lateral2": "inner_block_list.2",
    "coarse": "coarse_layer_block",
    "fine": "fine_layer_block",
}
_HEADS_1024 = {"lateral3": "inner_block_list.0", "lateral2": "inner_block_list.1", "fine": "last_layer_block"}
_KERNEL_DIMENSIONS = 6


def recognise(state: Mapping[str, torch.Tensor], arguments: Mapping[str, Any]) -> WeightFile | None:
    """Return what a checkpoint holds when it is DRCN's or torchvision's ResNet-101, else None."""
    if any(name.startswith(_CONSENSUS) for name in state):
        return _authors(state)
    if "layer3.22.conv3.weight" in state and "fc.weight" in state:
        return _torchvision(state)
    return None


def _authors(state: Mapping[str, torch.Tensor]) -> WeightFile:
    """Read variant and consensus from names and shapes: the arguments beside them may be missing."""
    plain = f"{_FEATURES}last_layer_block.weight" in state
    heads = _HEADS_1024 if plain else _HEADS_256
    kernels = [
        state[name]
        for name in sorted(state, key=_layer_number)
        if name.startswith(_CONSENSUS) and name.endswith("weight") and state[name].ndim == _KERNEL_DIMENSIONS
    ]
    config = {
        "backbone": "resnet101fpn_3_1024_4" if plain else "resnet101fpn_3_256_4",
        "consensus_channels": [kernel.shape[1] for kernel in kernels],
        "consensus_kernels": [kernel.shape[0] for kernel in kernels],
    }

    def name_in_file(name: str) -> str:
        part, _, rest = name.partition(".")
        if part == "consensus":
            kind, _, number = rest.partition(".")
            return f"{_CONSENSUS}{2 * int(number)}.{'weight' if kind == 'weights' else 'bias'}"
        first, _, rest = rest.partition(".")
        return f"{_FEATURES}{(_TRUNK | heads)[first]}.{rest}"

    # The authors store the tap along A's rows first, so that one slice serves one of their 3D convolutions.
    tensors = {
        name: tensor.permute(1, 2, 0, 3, 4, 5) if tensor.ndim == _KERNEL_DIMENSIONS else tensor
        for name, tensor in state.items()
    }
    return WeightFile("drcn", config, tensors, name_in_file=name_in_file)


def _layer_number(name: str) -> int:
    number = name.removeprefix(_CONSENSUS).partition(".")[0]
    return int(number) if number.isdigit() else -1


def _torchvision(state: Mapping[str, torch.Tensor]) -> WeightFile:
    """Return the trunk's weights, and untrained ones for what ImageNet has no use for."""
    config = DRCNConfig()
    tensors = dict(DRCN(config).state_dict())
    tensors |= {f"backbone.{name}": tensor for name, tensor in state.items() if f"backbone.{name}" in tensors}
    notes = {"untrained": "feature pyramid and consensus"}
    return WeightFile("drcn", {"backbone": config.backbone}, tensors, notes)
