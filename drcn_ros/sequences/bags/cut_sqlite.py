# Copyright 2026 The drcn_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""sqlite3 bag files that end in the middle, or whose recorder left its write-ahead log behind."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import quote

from drcn_ros.errors import InputError
from drcn_ros.foreign.guard import guarded
from drcn_ros.sequences.bags.bag import Topic


class CutDatabase:
    """Reads the messages in the order in which they were written, up to the first missing page.

    Raises:
        InputError: not even the table of topics is left.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # A reader of a write-ahead log needs its own index beside it, which a read-only folder refuses.
        with guarded(f"bag file {path}"):
            self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        try:
            # A file shorter than its header says is refused unless the caller is known to repair it.
            self._connection.execute("PRAGMA writable_schema=ON")
            rows = self._connection.execute("SELECT id, name, type FROM topics").fetchall()
        except sqlite3.Error as error:
            self._connection.close()
            msg = f"bag file {path} is damaged: {error}"
            raise InputError(msg) from None
        # A damaged page may hold values of any type.
        self._topics = {
            number: (str(name), str(kind)) for number, name, kind in rows if isinstance(number, int)
        }

    def topics(self) -> list[Topic]:
        """Return the topics with the number of their messages before the cut."""
        counts = Counter(number for number, _, _ in self._rows("length(data)"))
        return [Topic(name, kind, counts[number]) for number, (name, kind) in self._topics.items()]

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of recording and data of each message before the cut."""
        for number, time_ns, data in self._rows("data"):
            name = self._topics.get(number, ("", ""))[0]
            if name in topics:
                yield name, time_ns, data

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _rows(self, content: str) -> Iterator[tuple[int, int, bytes]]:
        try:
            cursor = self._connection.execute(f"SELECT topic_id, timestamp, {content} FROM messages")
            while (row := cursor.fetchone()) is not None:
                number, time_ns, data = row
                if isinstance(number, int) and isinstance(time_ns, int) and isinstance(data, (bytes, int)):
                    yield row
        except (sqlite3.Error, OverflowError, UnicodeDecodeError):
            return
