# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""rosbag2: folders and single files, mcap and sqlite3, several files, zstd by file or by message.

The files are opened one after another, so that a long bag takes no more memory or disk than its largest
file. A bag whose recorder was killed has no `metadata.yaml` and an unfinished last file; both are read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

from rosbags.rosbag2 import Reader

from drcn_ros.errors import InputError
from drcn_ros.foreign.guard import first_line, guarded
from drcn_ros.foreign.paths import as_text
from drcn_ros.foreign.unpacking import ZSTD_MAGIC, unpack, unpack_file
from drcn_ros.sequences.bags.bag import Bag, Topic, natural
from drcn_ros.sequences.bags.cut_mcap import MendedFile
from drcn_ros.sequences.bags.cut_sqlite import CutDatabase
from drcn_ros.sequences.bags.mcap_checks import mcap_problem
from drcn_ros.sequences.bags.unpacking_limits import limit_unpacking
from drcn_ros.sequences.calibrations.documents import read_yaml

METADATA = "metadata.yaml"
STORAGE_SUFFIXES = (".mcap", ".db3", ".mcap.zstd", ".db3.zstd")


class Storage(Protocol):
    """One open storage file."""

    def topics(self) -> list[Topic]:
        """Return the topics with a message in this file."""

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording and data as stored."""


def storage_files(folder: Path) -> list[Path]:
    """Return the storage files of a folder in the order of their numbers."""
    found = [path for path in folder.iterdir() if path.name.endswith(STORAGE_SUFFIXES) and path.is_file()]
    return sorted(found, key=natural)


class Rosbag2(Bag):
    """A rosbag2 folder, or one of its files alone.

    Raises:
        InputError: a file is missing, or none is readable.
    """

    def __init__(self, path: Path) -> None:
        self._metadata = _metadata(path)
        self._files = _listed_files(path, self._metadata) if path.is_dir() else [path]
        if not self._files:
            msg = f"bag {path} has no storage file (*.mcap or *.db3)"
            raise InputError(msg)
        storage = "mcap" if ".mcap" in self._files[0].name else "sqlite3"
        super().__init__(path, f"rosbag2 ({storage})")
        self._topics: list[Topic] | None = None
        if path.is_dir() and not self._metadata:
            self.notes.add(f"{path.name} has no usable {METADATA}: its recording was not finished")

    def topics(self) -> list[Topic]:
        """Return all topics, by name; from the metadata, or where there are none from the files."""
        if self._topics is None:
            listed = self._metadata.get("topics_with_message_count")
            counted = _topics_of_metadata(listed) if listed else self._topics_of_files()
            self._topics = sorted(counted, key=lambda topic: topic.name)
        return self._topics

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording (ns) and CDR bytes of each message of `topics`, in order."""
        for path in self._files:
            with self._opened(path) as storage:
                for name, time_ns, data in self._until_the_cut(path, storage.messages(topics)):
                    # CDR begins with a zero byte, so that compressed messages are known by their first four.
                    yield name, time_ns, unpack("zstd", data) if data[:4] == ZSTD_MAGIC else data

    def _topics_of_files(self) -> list[Topic]:
        counts: dict[tuple[str, str], int] = {}
        for path in self._files:
            with self._opened(path) as storage:
                for topic in storage.topics():
                    key = (topic.name, topic.type)
                    counts[key] = counts.get(key, 0) + topic.count
        return [Topic(name, kind, count) for (name, kind), count in counts.items()]

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Storage]:
        """Open one file, uncompressed to a temporary place where needed."""
        if path.suffix != ".zstd":
            with as_text(path) as readable:
                yield from self._with_reader(readable, path.name)
            return
        with tempfile.TemporaryDirectory(prefix="drcn_") as folder:
            plain = Path(folder) / path.stem
            if not unpack_file(path, plain):
                self._note_cut(path.name)
            yield from self._with_reader(plain, path.name)

    def _with_reader(self, path: Path, name: str) -> Iterator[Storage]:
        real = path.resolve()
        write_ahead_log = real.with_name(real.name + "-wal")
        unfinished = write_ahead_log.is_file() and write_ahead_log.stat().st_size > 0
        problem = mcap_problem(path) if path.suffix == ".mcap" else ""
        if problem:
            self.notes.add(f"{name} is damaged: {problem}")
        reader = None if unfinished or "index" in problem else _open_whole(path)
        if reader is not None:
            with _closing(reader.close):
                yield _Whole(reader)
            return
        self._note_cut(name)
        if path.suffix == ".db3":
            database = CutDatabase(path)
            with _closing(database.close):
                yield database
            return
        with guarded(f"bag file {name}"):
            cut = Reader(cast(Any, MendedFile(path)))
            cut.open()
        with _closing(cut.close):
            yield _Whole(cut)

    def _until_the_cut(
        self, path: Path, messages: Iterator[tuple[str, int, bytes]]
    ) -> Iterator[tuple[str, int, bytes]]:
        while True:
            try:
                message = next(messages)
            except StopIteration:
                return
            except MemoryError:
                raise
            except Exception as error:  # what damaged bytes raise in the reader has no bounds
                self.notes.add(f"{path.name} is damaged and was read up to there ({first_line(error)})")
                return
            yield message

    def _note_cut(self, name: str) -> None:
        self.notes.add(f"{name} is cut off; it was read up to the cut")


class _Whole:
    """A file that rosbags reads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def topics(self) -> list[Topic]:
        return [Topic(name, info.msgtype or "", info.msgcount) for name, info in self._reader.topics.items()]

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        wanted = [connection for connection in self._reader.connections if connection.topic in topics]
        if wanted:
            for connection, time_ns, data in self._reader.messages(wanted):
                yield connection.topic, time_ns, data


def _open_whole(path: Path) -> Reader | None:
    """Return an open reader, or None for a file that is not whole."""
    limit_unpacking()
    try:
        reader = Reader(path)
        reader.open()
    except (OSError, MemoryError) as error:
        msg = (
            f"bag file {path}: {getattr(error, 'strerror', None) or 'there is not enough memory to read it'}"
        )
        raise InputError(msg) from None
    except Exception:  # what damaged bytes raise in the reader has no bounds
        return None
    return reader


@contextmanager
def _closing(close: Callable[[], object]) -> Iterator[None]:
    try:
        yield
    finally:
        close()


def _metadata(path: Path) -> dict[str, Any]:
    """Return the content of the metadata file, or nothing when it is missing or damaged."""
    try:
        content = read_yaml(path / METADATA).get("rosbag2_bagfile_information")
    except InputError:
        return {}
    return dict(content) if isinstance(content, dict) else {}


def _listed_files(folder: Path, metadata: dict[str, Any]) -> list[Path]:
    listed = metadata.get("relative_file_paths")
    if not isinstance(listed, list) or not listed:
        return storage_files(folder)
    paths = [folder / Path(str(name)).name for name in listed]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        msg = f"bag file {missing[0]} is missing; {folder / METADATA} lists it"
        raise InputError(msg)
    return paths


def _topics_of_metadata(listed: Any) -> list[Topic]:
    try:
        return [
            Topic(
                str(entry["topic_metadata"]["name"]),
                str(entry["topic_metadata"]["type"]),
                int(entry["message_count"]),
            )
            for entry in listed
        ]
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{METADATA} of the bag is damaged: {error}; delete it to read the bag without it"
        raise InputError(msg) from None
