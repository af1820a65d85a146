# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""From a weight file, own or published, to a network that runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from drcn_ros.errors import WeightsError
from drcn_ros.networks.architectures import create_network
from drcn_ros.networks.checkpoints import is_checkpoint, read_checkpoint
from drcn_ros.networks.weight_file import WeightFile, read_own_file

EMBEDDED = Path(__file__).parent / "embedded" / "compact.safetensors"
# Errors list at most this many tensors.
_NAMED = 3


def read_weights(path: Path) -> WeightFile:
    """Read an own weight file or a published checkpoint; a leading `~` is the home folder.

    Raises:
        WeightsError: the file is missing, damaged or for no known network.
    """
    path = path.expanduser()
    if not path.is_file():
        msg = f"weight file {path} does not exist; `drcn weights list` shows what can be downloaded"
        raise WeightsError(msg)
    return read_checkpoint(path) if is_checkpoint(path) else read_own_file(path)


def load_network(path: Path | None = None) -> nn.Module:
    """Return the network of a weight file in evaluation mode on the CPU; None means the embedded one.

    Raises:
        WeightsError: the file is missing, damaged, or does not fit the network that it names.
    """
    path = path or EMBEDDED
    content = read_weights(path)
    network = create_network(content.architecture, content.config)
    fill(network, content, str(path))
    return network.eval()


def fill(network: nn.Module, content: WeightFile, source: str) -> None:
    """Copy all tensors of a weight file into a network; counters of batch norms may be missing.

    Raises:
        WeightsError: a tensor is missing, left over or of another shape; it and both shapes are named. Or the
            numbers find nothing in any image: one is not finite, or all are zero.
    """
    wanted = {content.name_in_file(name): (name, tensor) for name, tensor in network.state_dict().items()}
    given = content.tensors
    problems = []
    for name, (_, tensor) in wanted.items():
        if name not in given:
            if not name.endswith("num_batches_tracked"):
                problems.append(f"{name} {_shape(tensor)} is missing")
        elif given[name].shape != tensor.shape:
            problems.append(f"{name} is {_shape(given[name])} instead of {_shape(tensor)}")
    problems += [f"{name} {_shape(given[name])} is left over" for name in given if name not in wanted]
    if problems:
        more = f" and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        msg = f"{source} does not fit {content.architecture}: {', '.join(problems[:_NAMED])}{more}"
        raise WeightsError(msg)
    state = {own: given[name] for name, (own, _) in wanted.items() if name in given}
    _refuse_useless(state, source)
    network.load_state_dict(state, strict=False)


def _refuse_useless(state: Mapping[str, torch.Tensor], source: str) -> None:
    weights = {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}
    broken = [name for name, tensor in weights.items() if not torch.isfinite(tensor).all()]
    if broken:
        msg = f"{source}: {broken[0]} holds numbers that are not finite"
        raise WeightsError(msg)
    if weights and not any(tensor.any() for name, tensor in weights.items() if name.endswith("weight")):
        msg = f"{source}: all weights are zero"
        raise WeightsError(msg)


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(str(size) for size in tensor.shape) or "scalar"
