# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Programs of this package as child processes."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
# `python -m` would put the working directory first on the path, and run a `numpy.py` that lies there.
_RUN = """import sys
if sys.path[:1] == [""]:
    del sys.path[0]
sys.path.append({root!r})
import runpy
runpy.run_module({module!r}, run_name="__main__", alter_sys=True)
"""


def module_command(module: str) -> list[str]:
    """Return the words that run a module of this package by this interpreter; arguments follow.

    Nothing is imported from the working directory.
    """
    return [sys.executable, "-c", _RUN.format(root=str(_ROOT), module=module)]
