# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""One thread that works on frames, so that the callbacks that receive them never wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Counts:
    """What became of the items: `received == processed + dropped + waiting` at any time."""

    received: int
    processed: int
    dropped: int
    waiting: int


class Worker(Generic[Item]):
    """Calls `work(item)` in its own thread for the items handed in, in their order.

    Args:
        work: what is done with each item; it must not raise.
        capacity: items that may wait; one more drops one of them.
        newest_wins: whether the one dropped is the oldest waiting, or the one that comes.
    """

    def __init__(self, work: Callable[[Item], None], capacity: int, newest_wins: bool) -> None:
        self._work = work
        self._capacity = capacity
        self._newest_wins = newest_wins
        self._waiting: deque[Item] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._busy = False
        self._received = self._processed = self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> bool:
        """Hand in an item; return False when it had to be dropped at once."""
        with self._changed:
            self._received += 1
            if len(self._waiting) == self._capacity:
                self._dropped += 1
                if not self._newest_wins:
                    return False
                self._waiting.popleft()
            self._waiting.append(item)
            self._changed.notify()
        return True

    def discard(self) -> None:
        """Count an item that came and was not wanted."""
        with self._changed:
            self._received += 1
            self._dropped += 1

    def counts(self) -> Counts:
        """Return the counts; an item being worked on counts as waiting."""
        with self._changed:
            waiting = len(self._waiting) + self._busy
            return Counts(self._received, self._processed, self._dropped, waiting)

    def stop(self, timeout: float) -> bool:
        """Drop what waits, let the item being worked on end; return whether the thread ended in time."""
        with self._changed:
            self._stopping = True
            self._dropped += len(self._waiting)
            self._waiting.clear()
            self._changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if self._stopping:
                    return
                item = self._waiting.popleft()
                self._busy = True
            self._work(item)
            # The item may hold an image; nothing of it is kept while waiting for the next.
            del item
            with self._changed:
                self._busy = False
                self._processed += 1
