# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of a run: written as a whole or not at all, so that the last good one survives any cut."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from drcn_ros.errors import InputError
from drcn_ros.foreign.guard import first_line

_FORMAT = "drcn_ros training 1"


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain values to `path`, replacing what was there only when all is on the disk.

    Raises:
        InputError: the disk is full or the folder cannot be written; the former file is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            torch.save({"format": _FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        # torch reports a full disk as a RuntimeError of its zip writer.
        msg = f"checkpoint {path} cannot be written, the former one is kept: {error}"
        raise InputError(msg) from None
    finally:
        temporary.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint.

    Raises:
        InputError: the file is damaged or no checkpoint of a training run.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what damaged pickles raise has no bounds
        msg = f"checkpoint {path} cannot be read: {first_line(error)}; remove it to start anew"
        raise InputError(msg) from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        msg = f"{path} is no checkpoint of a training run; choose another output folder"
        raise InputError(msg)
    return content
