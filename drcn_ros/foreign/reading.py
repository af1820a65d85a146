# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Reads files whole, up to a limit: a device such as `/dev/zero` has no end."""

from __future__ import annotations

from pathlib import Path

from drcn_ros.errors import InputError

# Larger than any image and any table of a recording.
_LARGEST_BYTES = 1 << 29


def read_bytes(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        InputError: it holds more than any image or text.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST_BYTES + 1)
    if len(content) > _LARGEST_BYTES:
        msg = f"{path} holds more than {_LARGEST_BYTES >> 20} MB and is not read"
        raise InputError(msg)
    return content


def read_text(path: Path) -> str:
    """Return the text of a file, with or without a byte order mark, with any line ends.

    Raises:
        InputError: it holds more than any text.
        OSError: it cannot be read.
        UnicodeDecodeError: it is no UTF-8.
    """
    text = read_bytes(path).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_file(path: str | Path) -> bool:
    """Return whether there is a file at a path; no, where a path cannot have such a name."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False
