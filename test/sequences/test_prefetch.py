# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Work is done ahead in a thread, in order, and its errors reach the consumer."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from drcn_ros.sequences.prefetch import prefetched


def test_items_come_in_order_and_only_a_few_ahead():
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    with prefetched(items(), size=3) as numbers:
        first = next(numbers)
        while len(made) < 4:
            pass
        assert len(made) <= 5
        assert [first, *numbers] == list(range(50))


def test_an_error_arrives_where_it_happened():
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with prefetched(items()) as numbers:
        assert next(numbers) == 1
        with pytest.raises(ValueError, match="broken"):
            next(numbers)


def test_the_thread_ends_with_the_block_even_when_items_are_left():
    def endless() -> Iterator[int]:
        while True:
            yield 0

    with prefetched(endless()) as numbers:
        next(numbers)
    assert "decoder" not in [thread.name for thread in threading.enumerate()]
