# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The executable `vo_node`: starts the node, runs it, ends it quietly."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from drcn_ros.allocation import keep_freed_memory

# How long a frame being worked on may hold up the end of the process.
_STOP_TIMEOUT_S = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until Ctrl-C or SIGTERM; return 0, or 1 when it could not start."""
    keep_freed_memory()
    # Before rclpy's own handler, which calls this one after it: the end comes at once, whatever runs.
    signal.signal(signal.SIGTERM, _interrupt)
    node = None
    status = 0
    clean = True
    try:
        # Imported here, so that an interrupt during the slow imports ends as quietly as any other.
        import rclpy
        import rclpy.utilities
        from rclpy.executors import ExternalShutdownException

        try:
            rclpy.init(args=None if arguments is None else list(arguments))
            from drcn_ros.errors import DrcnError
            from drcn_ros.ros.node import VoNode

            try:
                node = VoNode()
            except DrcnError as error:
                rclpy.logging.get_logger("vo_node").fatal(str(error))
                return 1
            if node.config.autostart and not node.bring_up():
                status = 1
            else:
                rclpy.spin(node)
        except ExternalShutdownException:
            pass
        except Exception:
            # An import can swallow the interrupt; what fails after it is no error.
            if rclpy.utilities.ok():
                raise
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        clean = _shut_down(node)
    if not clean:
        # The network still computes in its thread; the interpreter's own end would crash under it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _shut_down(node: Any) -> bool:
    """End the node's thread and its entities; return whether the thread ended."""
    if node is None:
        return True
    if not node.close(_STOP_TIMEOUT_S):
        return False
    node.destroy_node()
    from rclpy.utilities import try_shutdown

    try_shutdown()
    return True


if __name__ == "__main__":
    sys.exit(main())
