# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Where a network runs."""

from __future__ import annotations

import torch

from drcn_ros.errors import ConfigurationError


def choose_device(name: str) -> torch.device:
    """Return the device that `MatcherConfig.device` means: auto, cpu or cuda.

    Raises:
        ConfigurationError: CUDA is asked for and torch finds none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        msg = "device cuda: torch finds no CUDA device; set matcher.device to cpu or auto"
        raise ConfigurationError(msg)
    return torch.device("cuda" if available and name != "cpu" else "cpu")
