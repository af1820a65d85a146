# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a node as a program: starts it, spins, ends it quietly at a signal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

# How long work that is being done may hold up the end of the process.
_STOP_TIMEOUT_S = 1.0


def run(
    name: str,
    load: Callable[[], Callable[[], Any]],
    start: Callable[[Any], bool],
    arguments: Sequence[str] | None = None,
) -> int:
    """Run a node until Ctrl-C or SIGTERM; return 0, or 1 when it could not start.

    Args:
        name: of the program, for its log before there is a node.
        load: imports what is needed, which takes seconds, and returns what makes the node.
        start: starts the node's work and returns whether it could.
        arguments: of ROS, or None for those of the program.

    The node has `close(timeout)`, which ends its threads and returns whether they ended in time.
    """
    interrupt = _Interrupt()
    # Before rclpy's own handlers, which call this one after them: the end comes at once, whatever runs.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    node = None
    status = 0
    clean = True
    try:
        # Imported here, when signals are looked after.
        from drcn_ros.errors import DrcnError, MissingDependencyError
        from drcn_ros.ros.dependency import require_rclpy

        try:
            require_rclpy()
        except MissingDependencyError as error:
            return _could_not_start(name, error)
        import rclpy
        import rclpy.utilities
        from rclpy.executors import ExternalShutdownException

        try:
            rclpy.init(args=None if arguments is None else list(arguments))
            make = load()
            interrupt.loading = False
            try:
                node = make()
            except DrcnError as error:
                rclpy.logging.get_logger(name).fatal(str(error))
                return 1
            if start(node):
                rclpy.spin(node)
            else:
                status = 1
        except ExternalShutdownException:
            pass
        except Exception:
            # What fails after an interrupt is no error.
            if rclpy.utilities.ok():
                raise
    except ImportError as error:
        if not interrupt.loading:
            raise
        return _could_not_start(name, f"a package is missing or cannot be loaded: {error}")
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


def _could_not_start(name: str, problem: object) -> int:
    print(f"{name}: {' '.join(str(problem).splitlines())}", file=sys.stderr)
    return 1


class _Interrupt:
    """Handler of the signals that end the program.

    Attributes:
        loading: modules are still being imported. Extensions in C turn an exception that meets them then into
            another one, forget it or abort; nothing has been made that would have to be ended in order.
    """

    def __init__(self) -> None:
        self.loading = True

    def __call__(self, _number: int, _frame: Any) -> None:
        if self.loading:
            os._exit(0)
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
