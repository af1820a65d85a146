# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the C allocator for processes that need the same large buffers for every frame."""

from __future__ import annotations

import ctypes
import os

# mallopt(3) of the GNU C library.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let the process keep freed memory for its next frame; return whether that was set.

    By default the GNU C library returns each large buffer to the kernel, and asks for it again, page by page,
    a moment later, which costs a twentieth of a frame. The process keeps its peak instead.
    Called by the programs of this package, never on import. Without effect where another C library serves, or
    where the user has set a `MALLOC_` variable or `GLIBC_TUNABLES`.
    """
    if "GLIBC_TUNABLES" in os.environ or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER))
