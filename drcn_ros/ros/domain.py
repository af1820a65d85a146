# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""DDS domains of their own for nodes that nobody else is to hear."""

from __future__ import annotations

import fcntl
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
    for domain_id in _DOMAINS:
        path = Path(tempfile.gettempdir()) / f"drcn_ros_domain_{domain_id}.lock"
        try:
            file = path.open("a")
        except PermissionError:
            # Another user's; whether it is taken cannot be told.
            continue
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield domain_id
            return
    msg = f"all {len(_DOMAINS)} DDS domains are taken; end other runs ({path.parent}/drcn_ros_domain_*.lock)"
    raise DrcnError(msg)
