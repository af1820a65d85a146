# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of the host in tensors of a device."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def constant(values: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    """Return (N,) numbers in the type and on the device of another tensor; no GPU is waited for."""
    return torch.tensor(values, dtype=like.dtype).to(like.device, non_blocking=True)
