# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from drcn_ros.ros.node.worker import Worker

PATIENCE_S = 30.0


class Gate:
    """Work that waits until it is let through."""

    def __init__(self) -> None:
        self.done: list[int] = []
        self.begun = threading.Semaphore(0)
        self.passes = threading.Semaphore(0)

    def __call__(self, item: int) -> int:
        self.begun.release()
        assert self.passes.acquire(timeout=PATIENCE_S)
        self.done.append(item)
        return item

    def wait(self) -> None:
        assert self.begun.acquire(timeout=PATIENCE_S)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def ignore(_: int) -> None:
    pass


both = pytest.mark.parametrize("overlap", [False, True], ids=["one thread", "two threads"])


@both
def test_a_camera_faster_than_the_work_is_thinned_out_evenly(overlap: bool) -> None:
    gate = Gate()
    worker = Worker(gate, ignore, 1, True, overlap)
    worker.submit(0)
    gate.wait()
    for item in range(1, 31):
        worker.submit(item)
        if item % 3 == 0:
            gate.passes.release()
            gate.wait()
    gate.passes.release()
    assert worker.stop(PATIENCE_S)
    assert gate.done == list(range(0, 31, 3))


@both
def test_the_newest_item_wins_and_the_others_are_counted_as_dropped(overlap: bool) -> None:
    gate = Gate()
    worker = Worker(gate, ignore, 1, True, overlap)
    worker.submit(0)
    gate.wait()
    assert all(worker.submit(item) for item in (1, 2, 3))
    for _ in range(2):
        gate.passes.release()
    gate.wait()
    assert worker.stop(PATIENCE_S)
    assert gate.done == [0, 3]
    counts = worker.counts()
    assert (counts.received, counts.processed, counts.dropped, counts.waiting) == (4, 2, 2, 0)


@both
def test_a_queue_keeps_the_order_and_refuses_what_does_not_fit(overlap: bool) -> None:
    gate, finished = Gate(), []
    worker = Worker(gate, finished.append, 2, False, overlap)
    worker.submit(0)
    gate.wait()
    assert [worker.submit(item) for item in (1, 2, 3)] == [True, True, False]
    for _ in range(3):
        gate.passes.release()
    for _ in range(2):
        gate.wait()
    assert worker.stop(PATIENCE_S)
    assert gate.done == finished == [0, 1, 2]


@both
def test_stopping_drops_what_waits_and_counts_every_item(overlap: bool) -> None:
    gate = Gate()
    worker = Worker(gate, ignore, 10, False, overlap)
    for item in range(5):
        worker.submit(item)
    gate.wait()
    assert not worker.stop(0.01)
    gate.passes.release()
    assert worker.stop(PATIENCE_S)
    counts = worker.counts()
    assert counts.received == 5 == counts.processed + counts.dropped + counts.waiting
    assert gate.done == [0]


def two_at_work(items: int) -> tuple[Worker[int, int], Gate, Gate]:
    """Return a worker that finishes item 0 and prepares item 1 at once, and the gates of both."""
    prepare, finish = Gate(), Gate()
    worker = Worker(prepare, finish, 10, False, overlap=True)
    for item in range(items):
        worker.submit(item)
    prepare.passes.release()
    finish.wait()
    for _ in range(2):
        prepare.wait()
    return worker, prepare, finish


def test_the_next_item_is_prepared_while_the_last_is_finished_and_no_third_is_begun() -> None:
    worker, prepare, finish = two_at_work(4)
    prepare.passes.release(10)
    until(lambda: prepare.done == [0, 1])
    assert worker.counts().waiting == 4
    assert not prepare.begun.acquire(timeout=0.05)
    finish.passes.release(10)
    until(lambda: worker.counts().processed == 4)
    assert finish.done == [0, 1, 2, 3]
    assert worker.stop(PATIENCE_S)


def test_stopping_lets_both_items_being_worked_on_end() -> None:
    worker, prepare, finish = two_at_work(3)
    assert not worker.stop(0.01)
    for gate in (prepare, finish):
        gate.passes.release(2)
    assert worker.stop(PATIENCE_S)
    assert finish.done == [0, 1]
    counts = worker.counts()
    assert (counts.received, counts.processed, counts.dropped, counts.waiting) == (3, 2, 1, 0)
