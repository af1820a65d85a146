# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Hidden folders in which results are made before they come into place, one run at a time for each place."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    place = beside / f"{_PREFIX}{path.name}"
    lock = _Lock(place)
    try:
        beside.mkdir(parents=True, exist_ok=True)
        if not lock.take():
            msg = f"{path} is being written by another run; wait for its end or choose another place"
            raise InputError(msg)
        # Whose lock is free was killed.
        lock.clear()
        yield Path(tempfile.mkdtemp(dir=place))
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}"
        raise InputError(msg) from None
    finally:
        try:
            lock.remove()
        except KeyboardInterrupt:
            # A signal that comes now ends the command, but not before this is done.
            lock.remove()
            raise


class _Lock:
    """A folder that belongs to one process at a time.

    A signal may end the command between any two steps: `remove` leaves nothing behind all the same.

    Args:
        place: of the folder, which is made.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._file: int | None = None
        self._begun = False

    def take(self) -> bool:
        """Make the folder and lock it; return whether no other process holds it."""
        self._begun = True
        while True:
            self._place.mkdir(mode=0o700, exist_ok=True)
            if self._place.is_symlink():
                self._begun = False
                msg = f"{self._place} is a link"
                raise OSError(msg)
            try:
                self._file = os.open(self._place / _LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
            except FileNotFoundError:
                # The run before has just ended and removed the folder.
                continue
            if not _locked(self._file):
                self._close()
                return False
            if _is_same(self._file, self._place / _LOCK):
                return True
            os.close(self._file)

    def clear(self) -> None:
        """Remove all in the folder but the lock."""
        for entry in self._place.iterdir():
            if entry.name != _LOCK:
                shutil.rmtree(entry, ignore_errors=True)

    def remove(self) -> None:
        """Remove the folder where it is this process's; may be called again after a signal interrupted it."""
        with suppress(OSError):
            if not self._begun or (self._file is None and not self.take()):
                return
            assert self._file is not None
            if _locked(self._file) and _is_same(self._file, self._place / _LOCK):
                self.clear()
                (self._place / _LOCK).unlink()
            # Without its lock it may be another's, but then it is not empty.
            self._place.rmdir()
        self._close()

    def _close(self) -> None:
        self._begun = False
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _locked(file: int) -> bool:
    """Lock an open file; return whether no other process has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: nothing is known of others.
        pass
    return True


def _is_same(lock: int, path: Path) -> bool:
    """Whether an open file is still the one that lies at a path."""
    try:
        return os.path.samestat(os.fstat(lock), os.stat(path))
    except FileNotFoundError:
        return False
