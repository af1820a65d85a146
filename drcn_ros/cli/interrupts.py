# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that end a command: whenever they come, with one line and one exit code, 128 and their number."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Ended(KeyboardInterrupt):
    """A signal came that ends the command.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def end_by(*signals: signal.Signals) -> None:
    """Let each signal raise `Ended`, also one that a script has the command begin to ignore."""
    for number in signals:
        signal.signal(number, _interrupt)


def exit_code(error: KeyboardInterrupt) -> int:
    """Return the exit code of a command that was interrupted."""
    return 128 + (error.number if isinstance(error, Ended) else signal.SIGINT)


def name_of(error: KeyboardInterrupt) -> str:
    """Return the name of the signal that interrupted a command."""
    return signal.Signals(exit_code(error) - 128).name


@contextmanager
def ending_at_once(name: str) -> Iterator[None]:
    """End the process by a signal that comes while the block imports.

    Extensions in C turn an exception that meets them then into another one, forget it, or abort; and nothing
    has been made that would have to be ended in order.

    Args:
        name: of the command, for the line that tells of it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _frame: Any) -> NoReturn:
        os.write(sys.stderr.fileno(), f"{name}: ended by {signal.Signals(number).name}\n".encode())
        os._exit(128 + number)

    # One that a script has the command begin to ignore stays ignored.
    before = {number: signal.getsignal(number) for number in _ENDING}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _frame: Any) -> NoReturn:
    raise Ended(number)
