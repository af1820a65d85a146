# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The executable `vo_node`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from drcn_ros.allocation import keep_freed_memory
from drcn_ros.ros.running import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until Ctrl-C or SIGTERM; return 0, or 1 when it could not start."""
    keep_freed_memory()
    return run("vo_node", _load, _start, arguments)


def _load() -> Callable[[], Any]:
    from drcn_ros.ros.node.node import VoNode

    return VoNode


def _start(node: Any) -> bool:
    return not node.config.autostart or bool(node.bring_up())


if __name__ == "__main__":
    sys.exit(main())
