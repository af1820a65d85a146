# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files and folders appear whole or not at all: written beside their place, then moved there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drcn_ros.errors import InputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place when the block ends without an error.

    Raises:
        InputError: the folder cannot be written to.
    """
    with _named(path) as folder:
        temporary = folder / path.name
        yield temporary
        os.replace(temporary, path)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `path` when the block ends without an error.

    Raises:
        InputError: `path` exists, or the folder above cannot be written to.
    """
    if path.exists():
        msg = f"{path} exists already; remove it or choose another place"
        raise InputError(msg)
    with _named(path) as folder:
        temporary = folder / path.name
        yield temporary
        os.replace(temporary, path)


@contextmanager
def replaced_folder(path: Path, mark: str) -> Iterator[Path]:
    """Give a temporary folder that takes the place of `path`, which may be an earlier result.

    Args:
        path: folder to make.
        mark: file by which an earlier result is known; any other folder with content is left alone.

    Raises:
        InputError: `path` holds something else, or the folder above cannot be written to.
    """
    if path.exists() and (not path.is_dir() or (any(path.iterdir()) and not (path / mark).is_file())):
        msg = f"{path} exists and is no earlier result ({mark} is missing); choose another place"
        raise InputError(msg)
    with _named(path) as folder:
        temporary = folder / path.name
        temporary.mkdir()
        yield temporary
        if path.exists():
            os.replace(path, folder / "replaced")
        os.replace(temporary, path)


@contextmanager
def _named(path: Path) -> Iterator[Path]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}"
        raise InputError(msg) from None
    try:
        yield folder
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}"
        raise InputError(msg) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
