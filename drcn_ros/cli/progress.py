# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""A progress bar with frames per second and time left, on terminals only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


@contextmanager
def progress(total: int, name: str, unit: str = "frame") -> Iterator[Any]:
    """Give a bar whose `update()` counts one."""
    # `None` switches the bar off where standard error is no terminal.
    with tqdm(total=total, desc=name, unit=unit, disable=None, dynamic_ncols=True) as bar:
        yield bar
