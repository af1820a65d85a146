# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Stamps of messages as integers."""

from __future__ import annotations

from typing import Any

from drcn_ros.errors import ImageError

SECOND_NS = 1_000_000_000


def image_stamp_ns(message: Any) -> int:
    """Return the stamp of an image message's header, nanoseconds.

    Raises:
        ImageError: its nanoseconds make a second or more, so that nobody knows which moment it means.
    """
    stamp = message.header.stamp
    if not 0 <= stamp.nanosec < SECOND_NS:
        msg = f"the stamp has {stamp.nanosec} nanoseconds, a second has {SECOND_NS}; check the camera driver"
        raise ImageError(msg)
    return int(stamp.sec) * SECOND_NS + int(stamp.nanosec)
