# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that end a command as Ctrl-C does."""

from __future__ import annotations

import signal
from typing import Any


def end_by(*signals: signal.Signals) -> None:
    """Let each signal raise KeyboardInterrupt, also one that a script has the command begin to ignore."""
    for number in signals:
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
