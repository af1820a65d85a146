# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Output of the nodes that commands start: in the user's own folder, the last few are kept."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from drcn_ros.errors import InputError

_KEPT = 5


def new_log() -> Path:
    """Return a new empty file; all but the last few of earlier ones are removed.

    Raises:
        InputError: it cannot be made.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(cache) / "drcn_ros" / "logs"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        logs = sorted(folder.glob("node_*.log"), key=lambda path: path.lstat().st_mtime_ns)
        for path in logs[: max(0, len(logs) - _KEPT + 1)]:
            with suppress(OSError):
                path.unlink()
        file, name = tempfile.mkstemp(prefix="node_", suffix=".log", dir=folder)
    except OSError as error:
        msg = f"cannot write {folder}: {error.strerror or error}; set XDG_CACHE_HOME to another place"
        raise InputError(msg) from None
    os.close(file)
    return Path(name)
