# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from drcn_ros.allocation import keep_freed_memory

# Resident memory after 64 MB were written to and freed, less that before, in MiB.
KEPT = """
import ctypes, os
from drcn_ros.allocation import keep_freed_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
print(keep_freed_memory())
before = resident()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
block = ctypes.c_void_p(libc.malloc(ctypes.c_size_t(64 << 20)))
ctypes.memset(block, 1, 64 << 20)
libc.free(block)
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of the GNU C library")
@pytest.mark.parametrize(
    ("environment", "kept"), [({}, True), ({"MALLOC_ARENA_MAX": "4"}, False), ({"GLIBC_TUNABLES": ""}, False)]
)
def test_memory_stays_unless_the_user_set_the_allocator(environment: dict[str, str], kept: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KEPT], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    answer, grown = done.stdout.split()
    assert answer == str(kept)
    assert (float(grown) > 60) == kept


def test_a_user_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    assert not keep_freed_memory()
