# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Files and folders appear whole or not at all: written beside their place, then moved there.

A folder of results holds a list of its own files. Nothing else in it is ever replaced or removed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from drcn_ros.errors import InputError
from drcn_ros.results.unfinished import unfinished

# Lies in a result and lists its files, relative to it, one a line.
OWN_FILES = ".drcn_files"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which takes its place when the block ends without an error.

    What is no plain file, such as `/dev/stdout`, is written to and stays what it is.

    Raises:
        InputError: the folder cannot be written to, or another run writes the same file.
    """
    if path.exists() and not path.is_file():
        with tempfile.TemporaryDirectory(prefix="drcn_") as place:
            temporary = Path(place) / path.name
            yield temporary
            _pour(temporary, path)
        return
    # A link stays a link; the file that it leads to is replaced.
    path = Path(os.path.realpath(path))
    with unfinished(path, path.parent) as folder:
        temporary = folder / path.name
        yield temporary
        os.replace(temporary, path)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `path` when the block ends without an error.

    Raises:
        InputError: `path` exists and is not empty, the folder above cannot be written to, or another run
            writes the same folder.
    """
    path = _named(path)
    if path.exists() and not (path.is_dir() and _is_empty(path)):
        msg = f"{path} exists already; remove it or choose another place"
        raise InputError(msg)
    with unfinished(path, path.parent) as folder:
        temporary = folder / path.name
        yield temporary
        os.replace(temporary, path)


@contextmanager
def replaced_folder(path: Path, mark: str) -> Iterator[Path]:
    """Give a temporary folder whose files come into `path`, which may be an earlier result.

    Only the files that an earlier result lists as its own are replaced: what somebody else put there stays.
    A folder below that has a list itself is a result of its own, which is replaced by its like alone. All
    come into place together when the block ends without an error.

    Args:
        path: folder to make.
        mark: file that comes last, so that a result without it is not complete.

    Raises:
        InputError: `path` holds something else, the folder above cannot be written to, or another run writes
            the same folder.
    """
    path = _named(path)
    with unfinished(path, path if path.is_dir() else path.parent) as folder:
        _own_files(path, ignored=folder.parent)
        temporary = folder / path.name
        temporary.mkdir()
        yield temporary
        results = [
            temporary,
            *(file.parent for file in temporary.rglob(OWN_FILES) if file.parent != temporary),
        ]
        placed = [_Placed(result, path / result.relative_to(temporary), results) for result in results]
        for result in placed:
            result.check()
        (path / mark).unlink(missing_ok=True)
        # The innermost come first, and the whole, with its mark, last.
        for result in reversed(placed):
            result.move(mark)


def claim(path: Path, names: Collection[str]) -> None:
    """Enter files that are about to be written into a folder's list of its own ones.

    Raises:
        InputError: one is there and not in the list, so that it is somebody else's; or the folder cannot be
            written to.
    """
    path = _named(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        own = _listed(path) if (path / OWN_FILES).is_file() else set()
        _refuse_foreign(path, set(names) - own)
        _write_list(path, own | set(names))
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}"
        raise InputError(msg) from None


def refuse_foreign(path: Path, patterns: Collection[str]) -> None:
    """Refuse a place before the work when somebody else's files lie where results are to come.

    Args:
        path: folder of the results.
        patterns: of the files' names, relative to it, as `Path.glob` takes them.

    Raises:
        InputError: a file is there and not in the list of an earlier result.
    """
    path = _named(path)
    try:
        own = _listed(path) if (path / OWN_FILES).is_file() else set()
        names = {file.relative_to(path).as_posix() for pattern in patterns for file in path.glob(pattern)}
    except (OSError, UnicodeDecodeError) as error:
        msg = f"cannot read {path}: {error}"
        raise InputError(msg) from None
    _refuse_foreign(path, names - own)


class _Placed:
    """A result on its way from its temporary folder to its place.

    Args:
        source: where it lies.
        target: where it goes.
        results: all results that go there together.
    """

    def __init__(self, source: Path, target: Path, results: Collection[Path]) -> None:
        self._source, self._target = source, target
        inner = [other for other in results if other != source and source in other.parents]
        self._new = {
            file.relative_to(source).as_posix()
            for file in source.rglob("*")
            if file.is_file()
            and file != source / OWN_FILES
            and not any(part in file.parents for part in inner)
        }
        self._old = _own_files(target, ignored=None) if (target / OWN_FILES).exists() else set()

    def check(self) -> None:
        """Raise InputError where a file would replace one that is not of an earlier result."""
        _refuse_foreign(self._target, self._new - self._old)

    def move(self, mark: str) -> None:
        """Put the files into place and remove those of the earlier result."""
        source, target = self._source, self._target
        target.mkdir(parents=True, exist_ok=True)
        # Before the first file moves both lists hold: a run that is killed here leaves files that are known.
        _write_list(target, self._old | self._new)
        (target / mark).unlink(missing_ok=True)
        for name in sorted(self._old - self._new):
            _remove(target, name)
        for name in sorted(self._new, key=lambda name: (name == mark, name)):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(source / name, target / name)
        _write_list(target, self._new)


def _pour(source: Path, target: Path) -> None:
    try:
        target.write_bytes(source.read_bytes())
    except OSError as error:
        msg = f"cannot write {target}: {error.strerror or error}"
        raise InputError(msg) from None


def _named(path: Path) -> Path:
    """Return a path whose last part is a name, which that of the working directory, `.`, is not."""
    return Path(os.path.abspath(path))


def _is_empty(folder: Path) -> bool:
    return next(folder.iterdir(), None) is None


def _own_files(path: Path, ignored: Path | None) -> set[str]:
    """Return the files that an earlier result consists of, relative to it; none where there is nothing.

    Args:
        path: of the result.
        ignored: folder in it that belongs to the run that asks.

    Raises:
        InputError: there is something, but no earlier result.
    """
    if not path.exists():
        return set()
    if path.is_dir() and all(entry == ignored for entry in path.iterdir()):
        return set()
    try:
        return _listed(path)
    except (OSError, UnicodeDecodeError):
        msg = f"{path} exists and is no earlier result ({OWN_FILES} is missing); choose another place"
        raise InputError(msg) from None


def _listed(path: Path) -> set[str]:
    names = (path / OWN_FILES).read_text(encoding="utf-8").splitlines()
    return {name for name in names if name and ".." not in Path(name).parts and not Path(name).is_absolute()}


def _refuse_foreign(path: Path, names: Collection[str]) -> None:
    foreign = sorted(name for name in names if os.path.lexists(path / name))
    if foreign:
        msg = f"{path} holds {foreign[0]}, which is no file of an earlier result; choose another place"
        raise InputError(msg)


def _write_list(path: Path, names: Collection[str]) -> None:
    temporary = path / f"{OWN_FILES}.{os.getpid()}"
    temporary.write_text("".join(f"{name}\n" for name in sorted(names)), encoding="utf-8")
    os.replace(temporary, path / OWN_FILES)


def _remove(path: Path, name: str) -> None:
    """Remove a file of an earlier result and the folders that it leaves empty."""
    (path / name).unlink(missing_ok=True)
    for parent in (path / name).parents:
        if parent == path or not parent.is_dir() or not _is_empty(parent):
            break
        parent.rmdir()
