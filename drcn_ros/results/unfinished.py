# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hidden folders in which results are made before they come into place, one run at a time for each place."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drcn_ros.errors import InputError

_PREFIX = ".drcn_unfinished."
_LOCK = ".lock"


@contextmanager
def unfinished(path: Path, beside: Path) -> Iterator[Path]:
    """Give a new folder, and remove it when the block ends.

    What runs that were killed have left there of the same `path` is removed as well.

    Args:
        path: what is being made, as an absolute path.
        beside: folder in which the new one is made.

    Raises:
        InputError: another run is at it, the place cannot be written to, or the block met an error of the
            operating system.
    """
    name = f"{_PREFIX}{path.name}"
    try:
        beside.mkdir(parents=True, exist_ok=True)
        place = beside / name
        lock = _lock(place)
        if lock is None:
            msg = f"{path} is being written by another run; wait for its end or choose another place"
            raise InputError(msg)
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}"
        raise InputError(msg) from None
    try:
        # Whose lock is free was killed.
        for entry in place.iterdir():
            if entry.name != _LOCK:
                shutil.rmtree(entry, ignore_errors=True)
        yield Path(tempfile.mkdtemp(dir=place))
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}"
        raise InputError(msg) from None
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(lock)


def _lock(place: Path) -> int | None:
    """Make a folder and lock it; return the lock, or None where another process holds it."""
    while True:
        place.mkdir(mode=0o700, exist_ok=True)
        if place.is_symlink():
            msg = f"{place} is a link"
            raise OSError(msg)
        try:
            lock = os.open(place / _LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            # The run before has just ended and removed the folder.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        except OSError:
            # A file system without locks: nothing is known of others.
            return lock
        if _is_same(lock, place / _LOCK):
            return lock
        os.close(lock)


def _is_same(lock: int, path: Path) -> bool:
    """Whether an open file is still the one that lies at a path."""
    try:
        return os.path.samestat(os.fstat(lock), os.stat(path))
    except FileNotFoundError:
        return False
