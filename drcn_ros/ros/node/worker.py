# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Threads that work on frames, so that the callbacks that receive them never wait."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class Counts:
    """What became of the items: `received == processed + dropped + waiting` at any time."""

    received: int
    processed: int
    dropped: int
    waiting: int


class Worker(Generic[Item, Prepared]):
    """Calls `finish(prepare(item))` in its own thread for the items handed in, in their order.

    With `overlap`, items are finished by a second thread while the first one prepares the next. At most one
    item is prepared ahead: one that waited for long after its preparation would be old before it is used.

    Args:
        prepare, finish: what is done with each item; they must not raise.
        capacity: items that may wait; one more drops one of them.
        newest_wins: whether the one dropped is the oldest waiting, or the one that comes.
        overlap: whether there are two threads.
    """

    def __init__(
        self,
        prepare: Callable[[Item], Prepared],
        finish: Callable[[Prepared], None],
        capacity: int,
        newest_wins: bool,
        overlap: bool,
    ) -> None:
        self._prepare = prepare
        self._finish = finish
        self._capacity = capacity
        self._newest_wins = newest_wins
        self._overlap = overlap
        self._waiting: deque[Item] = deque()
        self._changed = threading.Condition()
        self._stopping = self._preparing_ended = self._finishing = False
        # At most one item that goes from the one thread to the other.
        self._handed: list[Prepared] = []
        self._received = self._taken = self._processed = self._dropped = 0
        self._threads = [threading.Thread(target=self._run, name="frames", daemon=True)]
        if overlap:
            self._threads.append(threading.Thread(target=self._run_finish, name="poses", daemon=True))
        for thread in self._threads:
            thread.start()

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
            self._changed.notify_all()
        return True

    def counts(self) -> Counts:
        """Return the counts; an item being worked on counts as waiting."""
        with self._changed:
            waiting = len(self._waiting) + self._taken - self._processed
            return Counts(self._received, self._processed, self._dropped, waiting)

    def stop(self, timeout: float) -> bool:
        """Drop what waits, let the items being worked on end; return whether the threads ended in time."""
        with self._changed:
            self._stopping = True
            self._dropped += len(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    self._preparing_ended = True
                    self._changed.notify_all()
                    return
                item = self._waiting.popleft()
                self._taken += 1
            prepared = self._prepare(item)
            if self._overlap:
                self._hand_over(prepared)
            else:
                self._complete(prepared)
            # They may hold an image; nothing of it is kept while waiting for the next.
            del item, prepared

    def _hand_over(self, prepared: Prepared) -> None:
        """Wait until the other thread is free, and give it an item."""
        with self._changed:
            self._changed.wait_for(lambda: not self._handed and not self._finishing)
            self._handed.append(prepared)
            self._changed.notify_all()

    def _run_finish(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._handed or self._preparing_ended)
                if not self._handed:
                    return
                prepared = self._handed.pop()
                self._finishing = True
            self._complete(prepared)
            del prepared

    def _complete(self, prepared: Prepared) -> None:
        self._finish(prepared)
        with self._changed:
            self._finishing = False
            self._processed += 1
            self._changed.notify_all()
