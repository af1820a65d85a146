# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""What a pair of images takes in memory, held against what is free before it is taken.

Linux gives out memory that it does not have, and ends a process that then uses it, without a word. So the
first image of each size is refused where it would not fit. On a GPU torch itself refuses.
"""

from __future__ import annotations

import math
import resource
from dataclasses import dataclass
from pathlib import Path

import torch

from drcn_ros.errors import OutOfMemoryError

_COARSE_STRIDE = 16
# Smaller images are not worth asking for.
_LEAST_SIDE = 64
_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIPS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Demand:
    """What extracting and matching two images of one size takes beyond the program without them, bytes.

    Attributes:
        per_pixel: of one image: maps, intermediate results and what is kept of the other.
        per_pair: of coarse cells, 16 pixels wide: the 4D correlation and what is made of it.
        whole_pairs: of more the correlation is made in blocks.
        in_blocks: what these take, whatever the number of pairs.
    """

    per_pixel: float
    per_pair: float = 0.0
    whole_pairs: float = math.inf
    in_blocks: float = 0.0

    def bytes(self, width: int, height: int) -> float:
        """Return the estimate for images of a size in pixels."""
        cells = math.ceil(width / _COARSE_STRIDE) * math.ceil(height / _COARSE_STRIDE)
        coarse = self.per_pair * cells**2 if cells**2 <= self.whole_pairs else self.in_blocks
        return self.per_pixel * width * height + coarse

    def largest_side(self, width: int, height: int, limit: float) -> int:
        """Return the longer side to which images of this shape must be reduced to take at most `limit`."""
        longest = max(width, height)
        for side in range(longest // 32 * 32, _LEAST_SIDE, -32):
            if self.bytes(max(width * side // longest, 1), max(height * side // longest, 1)) <= limit:
                return side
        return 0


class MemoryGuard:
    """Refuses the first image of a size that memory does not suffice for.

    Args:
        method: name of the matcher.
        demand: of its network.
        device: where it runs; on a GPU nothing is refused.
    """

    def __init__(self, method: str, demand: Demand, device: torch.device) -> None:
        self._method = method
        self._demand = demand if device.type == "cpu" else Demand(0.0)
        # The programs keep freed memory, so that what an earlier size took serves this one, too.
        self._taken = 0.0

    def check(self, width: int, height: int) -> None:
        """Raise OutOfMemoryError unless images of this size, pixels, fit."""
        needed = self._demand.bytes(width, height)
        if needed <= self._taken:
            return
        free = free_memory()
        if free is not None and needed - self._taken > free:
            size = f"images of {width}x{height} pixels take about {size_text(needed)}"
            msg = f"{size} with {self._method}, {size_text(free + self._taken)} are free; "
            side = self._demand.largest_side(width, height, free + self._taken)
            msg += f"set matcher.max_image_size to {side} or free memory" if side else "free memory"
            raise OutOfMemoryError(msg)
        self._taken = needed


def size_text(number: float) -> str:
    """Return a number of bytes in megabytes, or from one gigabyte on in gigabytes."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def free_memory() -> float | None:
    """Return how many bytes this process can still take, or None where the system does not tell.

    The least of what the machine has, what the control groups of the process leave, and its own limit.
    """
    known = [_of_machine(), _of_groups(), _of_process()]
    return min((value for value in known if value is not None), default=None)


def _of_machine() -> float | None:
    return _entry(Path("/proc/meminfo"), "MemAvailable:")


def _of_process() -> float | None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    used = _entry(Path("/proc/self/status"), "VmSize:")
    return None if limit == resource.RLIM_INFINITY or used is None else max(limit - used, 0.0)


def _of_groups() -> float | None:
    """Return what the tightest control group, of either version, leaves; file caches give way."""
    try:
        lines = _MEMBERSHIPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    left = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root = _GROUPS / controllers
        names = ("memory.max", "memory.current", "inactive_file")
        if controllers:
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        # In a container the path may be that of the host, of which only the end is mounted: its root.
        folders = [root, *(root / part for part in _parts(path))]
        left += [_left(folder, *names) for folder in folders]
    return min((value for value in left if value is not None), default=None)


def _parts(path: str) -> list[str]:
    names = [name for name in path.split("/") if name not in ("", "..")]
    return ["/".join(names[: count + 1]) for count in range(len(names))]


def _left(folder: Path, limit_name: str, used_name: str, cache_name: str) -> float | None:
    try:
        limit, used = (
            (folder / name).read_text(encoding="ascii").strip() for name in (limit_name, used_name)
        )
    except OSError:
        return None
    if limit == "max":
        return None
    cache = _entry(folder / "memory.stat", cache_name, 1.0) or 0.0
    return max(float(limit) - float(used) + cache, 0.0)


def _entry(file: Path, name: str, unit: float = 1024.0) -> float | None:
    """Return the number after a name at the beginning of a line, in bytes; None where there is none."""
    try:
        for line in file.read_text(encoding="ascii", errors="replace").splitlines():
            words = line.split()
            if words[:1] == [name]:
                return float(words[1]) * unit
    except OSError:
        pass
    return None
