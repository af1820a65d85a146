# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of messages in the form in which they travel: plain CDR, little endian.

CDR aligns each number to its size, counted from after the four bytes that name the encapsulation. Each part
here begins and ends at a multiple of four.
"""

from __future__ import annotations

from std_msgs.msg import Header

LITTLE_ENDIAN = b"\x00\x01\x00\x00"


def integer(value: int) -> bytes:
    """Return an unsigned integer of four bytes; a byte that padding follows looks the same."""
    return value.to_bytes(4, "little")


def text(value: str) -> bytes:
    """Return a text and its padding."""
    content = value.encode() + b"\0"
    return integer(len(content)) + content + bytes(-len(content) % 4)


def header(head: Header) -> bytes:
    """Return a header."""
    stamp = head.stamp
    return stamp.sec.to_bytes(4, "little", signed=True) + integer(stamp.nanosec) + text(head.frame_id)
