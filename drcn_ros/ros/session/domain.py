# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DDS domains of their own for nodes that nobody else is to hear."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drcn_ros.errors import DrcnError

# Domain 0 is everybody's; above 101 the ports of a domain are those that Linux hands out to any program.
_DOMAINS = range(1, 102)


@contextmanager
def private_domain() -> Iterator[int]:
    """Give the id of a domain that no other process on this machine gets while the block runs.

    Raises:
        DrcnError: all are taken.
    """
    folder = Path(tempfile.gettempdir())
    for domain_id in _DOMAINS:
        path = folder / f"drcn_ros_domain_{domain_id}.lock"
        lock = _lock(path)
        if lock is None:
            continue
        try:
            yield domain_id
        finally:
            # Before it is closed, so that nobody locks what is about to go.
            path.unlink(missing_ok=True)
            os.close(lock)
        return
    msg = f"all {len(_DOMAINS)} DDS domains are taken; end other runs ({folder}/drcn_ros_domain_*.lock)"
    raise DrcnError(msg)


def _lock(path: Path) -> int | None:
    """Return an open file that is locked, or None where it is another's, in whichever way.

    The folder is everybody's: a link or a pipe that somebody has laid there is not followed.
    """
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = stat.S_ISREG(os.fstat(lock).st_mode) and os.path.samestat(os.fstat(lock), os.lstat(path))
    except OSError:
        ours = False
    if not ours:
        os.close(lock)
        return None
    return lock
