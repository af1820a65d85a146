# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Images that were recorded in the order of their arrival, in the order of their stamps."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from drcn_ros.sequences.base import Notes, Shot

# How many images are held back, and how old a stamp may be against the newest to be merely late. What lies
# farther back belongs to a clock that was set, and begins anew there.
_WINDOW, _LATEST_NS = 8, 1_000_000_000


def in_order(shots: Iterable[Shot], notes: Notes) -> Iterator[Shot]:
    """Yield shots by their stamps within a small window; equal stamps stay as they are.

    Args:
        shots: in the order of arrival.
        notes: told at the end how many were moved.
    """
    held: list[tuple[int, int, Shot]] = []
    newest: int | None = None
    moved = 0
    for number, shot in enumerate(shots):
        if newest is not None and newest - shot.stamp_ns > _LATEST_NS:
            yield from _emptied(held)
            newest = None
        if newest is not None and shot.stamp_ns < newest:
            moved += 1
        newest = shot.stamp_ns if newest is None else max(newest, shot.stamp_ns)
        heapq.heappush(held, (shot.stamp_ns, number, shot))
        if len(held) > _WINDOW:
            yield heapq.heappop(held)[2]
    yield from _emptied(held)
    if moved:
        notes.add(
            f"{moved} images were recorded after later ones; they are replayed by their stamps, "
            f"within {_WINDOW} images and {1e-9 * _LATEST_NS:g} s"
        )


def _emptied(held: list[tuple[int, int, Shot]]) -> Iterator[Shot]:
    while held:
        yield heapq.heappop(held)[2]
