# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The executable `map_node`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from drcn_ros.allocation import keep_freed_memory
from drcn_ros.ros.running import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until Ctrl-C or SIGTERM; return 0, or 1 when it could not start."""
    keep_freed_memory()
    return run("map_node", _load, lambda _node: True, arguments)


def _load() -> Callable[[], Any]:
    from drcn_ros.ros.mapping.node import MapNode

    return MapNode


if __name__ == "__main__":
    sys.exit(main())
