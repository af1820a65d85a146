# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of others (`torch.save` files); the names of their tensors tell which network they are for."""

from __future__ import annotations

import argparse
import importlib
import pickle
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from drcn_ros.errors import WeightsError
from drcn_ros.foreign.guard import first_line
from drcn_ros.networks.weight_file import WeightFile

# Modules with `recognise(state, arguments) -> WeightFile | None`, asked in this order.
_FORMATS = (
    "drcn_ros.networks.d2net_checkpoint",
    "drcn_ros.networks.drcn_checkpoint",
)
# Where training scripts put the network's tensors inside what they save.
_STATE_KEYS = ("model", "state_dict")
_MULTI_GPU_PREFIX = "module."
# The part of torch's message that names what it met.
_REFUSED = re.compile(r"Unsupported (?:global: GLOBAL|class|operand) (\S+)")

# The first release in which `weights_only` cannot be broken out of.
_SAFE_TORCH = (2, 6)

Recogniser = Callable[[Mapping[str, torch.Tensor], Mapping[str, Any]], "WeightFile | None"]


def is_checkpoint(path: Path) -> bool:
    """Tell whether a file was written by `torch.save`, by its first bytes."""
    with path.open("rb") as file:
        start = file.read(9)
    # Safetensors begin with the length of their header, 8 bytes, the first of which may be a pickle's.
    return start.startswith((b"PK\x03\x04", b"\x80")) and start[8:] != b"{"


def read_checkpoint(path: Path) -> WeightFile:
    """Read a published checkpoint; nothing in it is executed.

    Raises:
        WeightsError: the file is damaged, holds code, is for no network that is known, or torch is too old to
            read somebody else's file.
    """
    _require_safe_torch(path)
    try:
        with _allowed(argparse.Namespace):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        msg = f"checkpoint {path} is damaged or holds more than tensors and plain data, "
        msg += f"which is not loaded: {_what_was_refused(error)}"
        raise WeightsError(msg) from None
    except Exception as error:  # what damaged pickles raise has no bounds
        msg = f"checkpoint {path} is damaged: {first_line(error)}"
        raise WeightsError(msg) from None
    state, arguments = _state(content)
    if not state:
        msg = f"checkpoint {path} holds no tensors by name"
        raise WeightsError(msg)
    for module in _FORMATS:
        recognise: Recogniser = importlib.import_module(module).recognise
        found = recognise(state, arguments)
        if found is not None:
            return found
    msg = f"checkpoint {path} is for no known network; its first tensor is {next(iter(state))!r}"
    raise WeightsError(msg)


def _require_safe_torch(path: Path) -> None:
    numbers = re.match(r"(\d+)\.(\d+)", str(torch.__version__))
    if numbers is None or tuple(int(number) for number in numbers.groups()) < _SAFE_TORCH:
        msg = f"checkpoint {path} is not read with torch {torch.__version__}: before 2.6 a file made for it "
        msg += "can run code (CVE-2025-32434). `drcn weights convert` with a newer torch makes a safetensors "
        msg += "file of it, which any torch reads"
        raise WeightsError(msg)


def _what_was_refused(error: pickle.UnpicklingError) -> str:
    """Return what the file holds, without torch's advice on how to load it all the same."""
    found = _REFUSED.search(str(error))
    return found.group(1) if found else "its content cannot be read as such"


def _allowed(kind: type[Any]) -> AbstractContextManager[None]:
    """Let checkpoints hold objects of a class that holds plain data only; torch before 2.5 refuses them."""
    safe_globals = getattr(torch.serialization, "safe_globals", None)
    return nullcontext() if safe_globals is None else safe_globals([kind])


def _state(content: object) -> tuple[dict[str, torch.Tensor], Mapping[str, Any]]:
    """Return the named tensors of a checkpoint and the training script's arguments."""
    arguments: Mapping[str, Any] = {}
    if isinstance(content, dict):
        if isinstance(content.get("args"), argparse.Namespace):
            arguments = vars(content["args"])
        for key in _STATE_KEYS:
            if isinstance(content.get(key), Mapping):
                content = content[key]
                break
    if not isinstance(content, Mapping):
        return {}, arguments
    return {
        str(name).removeprefix(_MULTI_GPU_PREFIX): value
        for name, value in content.items()
        if isinstance(value, torch.Tensor)
    }, arguments
