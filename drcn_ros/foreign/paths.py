# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Names of files that are no text, for libraries that want text."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_text(path: Path) -> Iterator[Path]:
    """Give a path that is UTF-8 and leads to the same file: itself, or a link while the block runs."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="drcn_") as folder:
            suffix = path.suffix if path.suffix.isascii() else ""
            link = Path(folder) / f"file{suffix}"
            link.symlink_to(os.path.abspath(path))
            yield link
        return
    yield path
