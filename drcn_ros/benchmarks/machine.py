# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The machine that a benchmark runs on, and processes of their own for what is measured."""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

import torch

from drcn_ros import __version__
from drcn_ros.allocation import keep_freed_memory

Argument = TypeVar("Argument")
Result = TypeVar("Result")


def describe_machine(threads: int) -> dict[str, Any]:
    """Return what the numbers were taken on and with."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "threads": threads,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "version": __version__,
        "commit": _commit(),
    }


def in_fresh_process(function: Callable[[Argument], Result], argument: Argument) -> Result:
    """Return what a function of a module returns in a new process, so that its memory is its own.

    Its allocator is set as the programs set theirs.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=keep_freed_memory) as pool:
        return pool.submit(function, argument).result()


def peak_memory_mb() -> float:
    """Return the largest resident memory that this process has had."""
    try:
        # The other counter begins with what the parent had when it started this process.
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    """Return the commit of the checkout that the package lies in, or nothing."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
