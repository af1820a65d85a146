# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""This project's own weight files: safetensors whose metadata name the architecture and its sizes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from drcn_ros.errors import WeightsError
from drcn_ros.foreign.guard import first_line
from drcn_ros.foreign.paths import as_text

_FORMAT = "drcn_ros weights 1"


def _same_name(name: str) -> str:
    return name


@dataclass(frozen=True)
class WeightFile:
    """Content of a weight file, own or foreign.

    Attributes:
        architecture: name as in `architectures.ARCHITECTURES`.
        config: entries of the network's configuration.
        tensors: by the names that the file gives them.
        notes: what else the file says of itself, such as `licence` and `source`.
        name_in_file: from the name of a tensor in the network to its name in the file.
    """

    architecture: str
    config: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor]
    notes: Mapping[str, str] = field(default_factory=dict)
    name_in_file: Callable[[str], str] = _same_name


def read_own_file(path: Path) -> WeightFile:
    """Read a file that `write_own_file` made.

    Raises:
        WeightsError: the file is damaged, or safetensors of another origin.
    """
    try:
        with as_text(path) as readable, safe_open(readable, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except Exception as error:  # the library is Rust, whose panics are exceptions of no stated kind
        msg = f"weight file {path} is damaged or no safetensors file: {first_line(error)}"
        raise WeightsError(msg) from None
    if metadata.pop("format", None) != _FORMAT or "architecture" not in metadata:
        msg = f"weight file {path} does not say which network it is for; "
        msg += "`drcn weights convert` makes one that does"
        raise WeightsError(msg)
    text = metadata.pop("config", "{}")
    try:
        config = json.loads(text)
    except ValueError:
        config = None
    if not isinstance(config, dict):
        msg = f"weight file {path} is damaged: its configuration {text!r} is no JSON object"
        raise WeightsError(msg)
    return WeightFile(metadata.pop("architecture"), config, tensors, notes=metadata)


def write_own_file(path: Path, content: WeightFile, half: bool = False) -> None:
    """Write a weight file as a whole or not at all.

    Args:
        path: the file to write.
        content: what to write; tensors under the network's own names.
        half: store tensors of more than one number in 16 bits, which is exact to about 3 decimal digits.
    """
    tensors = {name: tensor.detach().contiguous() for name, tensor in content.tensors.items()}
    if half:
        tensors = {name: _halved(tensor) for name, tensor in tensors.items()}
    metadata = {
        **content.notes,
        "format": _FORMAT,
        "architecture": content.architecture,
        "config": json.dumps(dict(content.config), sort_keys=True),
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(_in_order(save(tensors, metadata)))
        os.replace(temporary, path)
    except OSError as error:
        msg = f"weight file {path} cannot be written: {error.strerror or error}"
        raise WeightsError(msg) from None
    finally:
        temporary.unlink(missing_ok=True)


def _in_order(data: bytes) -> bytes:
    """Return safetensors with the entries of the header sorted, so that equal content makes equal files."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[end:]


def _halved(tensor: torch.Tensor) -> torch.Tensor:
    """Return the tensor in 16 bits, unless it is a single number, holds integers, or would overflow."""
    if not tensor.is_floating_point() or tensor.ndim == 0:
        return tensor
    half = tensor.half()
    return half if torch.isfinite(half).all() else tensor
