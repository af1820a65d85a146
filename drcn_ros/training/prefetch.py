# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Batches made ahead of their steps by threads, so that an accelerator need not wait for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Prefetch(Generic[Made]):
    """Makes what steps need in their order.

    Args:
        make: from the number of a step; called in threads if there are any.
        workers: threads, each busy with another step; 0 makes everything when it is asked for.
        first, last: steps that will be asked for, one after another, `last` not among them.
    """

    def __init__(self, make: Callable[[int], Made], workers: int, first: int, last: int) -> None:
        self._make = make
        self._pool = ThreadPoolExecutor(workers, "pairs") if workers else None
        self._coming: deque[Future[Made]] = deque()
        self._next, self._last = first, last
        self._depth = 2 * workers

    def take(self, step: int) -> Made:
        """Return what a step needs."""
        if self._pool is None:
            return self._make(step)
        while self._next < self._last and len(self._coming) <= self._depth:
            self._coming.append(self._pool.submit(self._make, self._next))
            self._next += 1
        return self._coming.popleft().result()

    def close(self) -> None:
        """Give up what was made ahead and end the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
