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

# Lies in a result and lists its files, relative to it, one a line.
OWN_FILES = ".drcn_files"


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
    """Give a temporary folder whose files come into `path`, which may be an earlier result.

    An earlier result is known by the list of its own files that lies in it. Only those are replaced: what
    somebody else put there stays, and so do results in folders below it.

    Args:
        path: folder to make.
        mark: file that comes last, so that a result without it is not complete.

    Raises:
        InputError: `path` holds something else, or the folder above cannot be written to.
    """
    old = _own_files(path)
    with _named(path) as folder:
        temporary = folder / "new"
        temporary.mkdir()
        yield temporary
        new = {file.relative_to(temporary).as_posix() for file in temporary.rglob("*") if file.is_file()}
        foreign = sorted(name for name in new - old if os.path.lexists(path / name))
        if foreign:
            msg = f"{path} holds {foreign[0]}, which is no file of an earlier result; choose another place"
            raise InputError(msg)
        path.mkdir(exist_ok=True)
        _write_list(path, old | new, folder)
        (path / mark).unlink(missing_ok=True)
        for name in sorted(old - new):
            _remove(path, name)
        for name in sorted(new, key=lambda name: (name == mark, name)):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary / name, path / name)
        _write_list(path, new, folder)


def _own_files(path: Path) -> set[str]:
    """Return the files that an earlier result consists of, relative to it; none where there is nothing."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return set()
    try:
        names = (path / OWN_FILES).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        msg = f"{path} exists and is no earlier result ({OWN_FILES} is missing); choose another place"
        raise InputError(msg) from None
    return {name for name in names if name and ".." not in Path(name).parts and not Path(name).is_absolute()}


def _write_list(path: Path, names: set[str], folder: Path) -> None:
    temporary = folder / OWN_FILES
    temporary.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
    os.replace(temporary, path / OWN_FILES)


def _remove(path: Path, name: str) -> None:
    """Remove a file of an earlier result and the folders that it leaves empty."""
    (path / name).unlink(missing_ok=True)
    for parent in (path / name).parents:
        if parent == path or not parent.is_dir() or any(parent.iterdir()):
            break
        parent.rmdir()


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
