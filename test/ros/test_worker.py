# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

from drcn_ros.ros.worker import Worker

PATIENCE_S = 30.0


class Gate:
    """Work that waits until it is let through."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.begun = threading.Semaphore(0)
        self.passes = threading.Semaphore(0)

    def __call__(self, item: int) -> None:
        self.begun.release()
        assert self.passes.acquire(timeout=PATIENCE_S)
        self.done.append(item)


def test_the_newest_item_wins_and_the_others_are_counted_as_dropped() -> None:
    gate = Gate()
    worker = Worker(gate, capacity=1, newest_wins=True)
    worker.submit(0)
    assert gate.begun.acquire(timeout=PATIENCE_S)
    assert all(worker.submit(item) for item in (1, 2, 3))
    for _ in range(2):
        gate.passes.release()
    assert gate.begun.acquire(timeout=PATIENCE_S)
    assert worker.stop(PATIENCE_S)
    assert gate.done == [0, 3]
    counts = worker.counts()
    assert (counts.received, counts.processed, counts.dropped, counts.waiting) == (4, 2, 2, 0)


def test_a_queue_keeps_the_order_and_refuses_what_does_not_fit() -> None:
    gate = Gate()
    worker = Worker(gate, capacity=2, newest_wins=False)
    worker.submit(0)
    assert gate.begun.acquire(timeout=PATIENCE_S)
    assert [worker.submit(item) for item in (1, 2, 3)] == [True, True, False]
    for _ in range(3):
        gate.passes.release()
    for _ in range(2):
        assert gate.begun.acquire(timeout=PATIENCE_S)
    assert worker.stop(PATIENCE_S)
    assert gate.done == [0, 1, 2]


def test_stopping_drops_what_waits_and_counts_every_item() -> None:
    gate = Gate()
    worker = Worker(gate, capacity=10, newest_wins=False)
    for item in range(5):
        worker.submit(item)
    assert gate.begun.acquire(timeout=PATIENCE_S)
    assert not worker.stop(0.01)
    gate.passes.release()
    assert worker.stop(PATIENCE_S)
    counts = worker.counts()
    assert counts.received == 5 == counts.processed + counts.dropped + counts.waiting
    assert gate.done == [0]
