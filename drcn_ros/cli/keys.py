# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Single key presses from a terminal, without Enter."""

from __future__ import annotations

import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_POLL_S = 0.1


@contextmanager
def key_presses(on_key: Callable[[str], None]) -> Iterator[bool]:
    """Call `on_key` in a thread for each key; gives False where standard input is no terminal."""
    if not sys.stdin.isatty():
        yield False
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    stop = threading.Event()

    def listen() -> None:
        while not stop.is_set():
            if select.select([descriptor], [], [], _POLL_S)[0]:
                key = sys.stdin.read(1)
                if not key:
                    return
                on_key(key)

    thread = threading.Thread(target=listen, name="keys", daemon=True)
    try:
        tty.setcbreak(descriptor)
        thread.start()
        yield True
    finally:
        stop.set()
        thread.join()
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
